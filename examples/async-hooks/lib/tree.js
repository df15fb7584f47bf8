// Collects async resources and shows them as a tree, or as a graph, by trigger.
import { createHook, executionAsyncId } from 'node:async_hooks';
import { name, print } from './print.js';

/** Watches the types that `only` matches; returns what was seen and how to stop. */
export function watch({ only = /./, without = [] } = {}) {
  const records = new Map();
  const skipped = new Map();
  const hook = createHook({
    init(asyncId, type, triggerAsyncId) {
      // What is left out hands its trigger on, so that the tree stays whole.
      const trigger = skipped.get(triggerAsyncId) ?? triggerAsyncId;
      if (!only.test(type) || without.includes(type)) skipped.set(asyncId, trigger);
      else records.set(asyncId, { asyncId, type, trigger, execution: executionAsyncId() });
    },
  });
  hook.enable();
  return { records, stop: () => hook.disable() };
}

/** Prints the records indented under what triggered them. */
export function printTree(records) {
  const children = new Map();
  for (const record of records.values()) {
    if (!children.has(record.trigger)) children.set(record.trigger, []);
    children.get(record.trigger).push(record);
  }
  const show = (parent, depth) => {
    for (const { asyncId, type } of children.get(parent) ?? []) {
      print(`${'  '.repeat(depth)}${type} ${name(asyncId)}`);
      show(asyncId, depth + 1);
    }
  };
  for (const parent of children.keys()) {
    if (records.has(parent)) continue;
    print(name(parent));
    show(parent, 1);
  }
}

/** Prints the trigger graph in Mermaid; a dotted arrow leads from the creator where it differs. */
export function printGraph(records) {
  const node = (asyncId) => {
    const type = records.get(asyncId)?.type;
    const id = `n${name(asyncId).replace('#', '')}`;
    return type ? `${id}["${type} ${name(asyncId)}"]` : `${id}(["${name(asyncId)}"])`;
  };
  print('graph LR');
  for (const { asyncId, trigger, execution } of records.values()) {
    print(`  ${node(trigger)} --> ${node(asyncId)}`);
    if (execution === trigger) continue;
    if (execution === 0) print(`  loop(["the event loop"]) -.-> ${node(asyncId)}`);
    else if (records.has(execution)) print(`  ${node(execution)} -.-> ${node(asyncId)}`);
  }
}
