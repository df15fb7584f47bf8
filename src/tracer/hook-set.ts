import { AsyncResource, executionAsyncId, executionAsyncResource } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';

import { context, trace, TraceFlags } from '@opentelemetry/api';

import { isHiddenFromRecords, startCollecting } from '../async/collecting.ts';
import { GuardedHook, type HookCallbacks } from '../async/guarded-hook.ts';
import type { Collector } from './record-collector.ts';
import { classNameOf, describeHolder } from './resource-description.ts';
import type { LoopClock } from './loop-clock.ts';
import { currentOwner, enterOwner, QUIET, recordedOwner, type ResourceOwner } from './owner.ts';
import { knownName } from './shape.ts';
import { captureStack } from './stack.ts';
import type { TracerLevel } from './record.ts';

/** The work of a tracer's hook at its current level. */
export interface HookPlan {
  clock: LoopClock;
  level: TracerLevel;
  /** Whether records are made, and not only time measured. */
  collects: boolean;
  stacks: boolean;
}

export interface HookSetOptions {
  collector: Collector;
  /** Whether async resources of this owner, or of none, are recorded. */
  isTraced(owner: ResourceOwner | undefined): boolean;
  ownerOfParser: ((resource: object) => ResourceOwner | undefined) | undefined;
  onFailure(): void;
}

/**
 * The hook of one tracer, replaced when its plan changes: a callback that is not needed is not
 * registered, because each one adds a cost per promise.
 */
export class HookSet {
  readonly #options: HookSetOptions;
  #hook: GuardedHook | undefined;
  #installed: string | undefined;
  #stopCollecting: (() => void) | undefined;
  /** Lower async ids were assigned before recording began. */
  #firstId = 0;

  constructor(options: HookSetOptions) {
    this.#options = options;
  }

  install(plan: HookPlan): void {
    if (plan.level === 'off') return this.uninstall();
    const key = `${plan.level} ${plan.collects} ${plan.stacks}`;
    if (key === this.#installed) return;
    const collected = this.#installed?.includes(' true ') === true;
    this.uninstall();
    this.#installed = key;
    if (plan.collects && !collected) this.#firstId = new AsyncResource('CLEW').asyncId();
    this.#hook = new GuardedHook({
      name: 'tracer',
      // Measuring time needs no promise events: the owner of a continuation is found from what it
      // touches.
      trackPromises: plan.level !== 'watch',
      callbacks: plan.collects ? this.#recording(plan) : this.#watching(plan.clock),
      onFailure: () => this.#options.onFailure(),
    });
    this.#hook.enable();
    if (plan.collects) {
      const { collector } = this.#options;
      this.#stopCollecting = startCollecting((asyncId, span) => collector.show(asyncId, span));
    }
  }

  uninstall(): void {
    this.#hook?.disable();
    this.#hook = undefined;
    this.#installed = undefined;
    this.#stopCollecting?.();
    this.#stopCollecting = undefined;
  }

  #watching(clock: LoopClock): HookCallbacks {
    return {
      init: (_asyncId, type) => {
        if (type !== 'PROMISE') clock.observe(currentOwner());
      },
      before: (asyncId) => clock.before(asyncId, this.#ownerHere()),
      after: (asyncId) => clock.after(asyncId, labelHere),
    };
  }

  #recording({ clock, level, stacks }: HookPlan): HookCallbacks {
    const { collector } = this.#options;
    const init = (
      asyncId: number,
      type: string,
      triggerAsyncId: number,
      resource: object,
    ): void => {
      const owner = recordedOwner();
      clock.observe(owner);
      if (!this.#wants(owner)) return;
      collector.init({
        asyncId,
        type,
        triggerAsyncId,
        executionAsyncId: executionAsyncId(),
        resource,
        owner,
        now: performance.now(),
        stack: stacks || owner?.marked ? captureStack(init) : undefined,
        spanId: activeSpanOf(owner),
      });
    };
    const callbacks: HookCallbacks = {
      init,
      before: (asyncId) => {
        const owner = this.#ownerHere();
        clock.before(asyncId, owner);
        const now = performance.now();
        if (!collector.has(asyncId)) this.#adopt(asyncId, owner, now);
        collector.before(asyncId, now);
      },
      after: (asyncId) => {
        clock.after(asyncId, labelHere);
        collector.after(asyncId, performance.now());
      },
      promiseResolve: (asyncId) => collector.promiseResolve(asyncId, performance.now()),
    };
    if (level === 'deep') {
      callbacks.destroy = (asyncId) => collector.destroy(asyncId, performance.now());
    }
    return callbacks;
  }

  #wants(owner: ResourceOwner | undefined): boolean {
    return owner !== QUIET && this.#options.isTraced(owner);
  }

  /** A callback of a resource whose creation was not observed: it is older than the recording. */
  #adopt(asyncId: number, owner: ResourceOwner | undefined, now: number): void {
    const { collector } = this.#options;
    if (asyncId >= this.#firstId && !collector.isOrigin(asyncId)) return;
    if (!this.#wants(owner)) return;
    const resource = executionAsyncResource();
    if (isHiddenFromRecords(resource)) return;
    collector.adopt(asyncId, typeOf(resource), resource, owner, now);
  }

  #ownerHere(): ResourceOwner | undefined {
    const owner = currentOwner();
    if (owner || !this.#options.ownerOfParser) return owner;
    const claimed = this.#options.ownerOfParser(executionAsyncResource());
    if (claimed) enterOwner(claimed);
    return claimed;
  }
}

/** The active span, if it is one of the owner's own trace that will be exported. */
function activeSpanOf(owner: ResourceOwner | undefined): string | undefined {
  if (!owner?.spanContext) return undefined;
  const active = trace.getSpanContext(context.active());
  const isOwn =
    active?.traceId === owner.spanContext.traceId &&
    active.isRemote !== true &&
    (active.traceFlags & TraceFlags.SAMPLED) !== 0;
  return isOwn ? active.spanId : undefined;
}

function labelHere(): string | undefined {
  const resource = executionAsyncResource();
  const label = describeHolder(resource);
  // If the name is only the class of one of Node's handles, there is a more readable one.
  const isClass = label !== undefined && !label.includes(' ');
  return isClass ? (knownName(typeOf(resource)) ?? label) : label;
}

const TYPES_BY_CLASS: Record<string, string> = {
  HTTPServerAsyncResource: 'HTTPINCOMINGMESSAGE',
  HTTPClientAsyncResource: 'HTTPINCOMINGMESSAGE',
  Object: 'TickObject',
  Pipe: 'PIPEWRAP',
  Process: 'PROCESSWRAP',
  Promise: 'PROMISE',
  Signal: 'SIGNALWRAP',
  TCP: 'TCPWRAP',
  UDP: 'UDPWRAP',
};

/** Returns the type of a resource whose `init` was not observed, as far as its class reveals it. */
function typeOf(resource: object): string {
  if (resource instanceof Promise) return 'PROMISE';
  const name = classNameOf(resource);
  const known = TYPES_BY_CLASS[name];
  if (known) return known;
  const upper = name.toUpperCase();
  return /^(TTY|TLS|Pipe|FSReq|GetAddr|GetName|Query|Shutdown|Write|TCPConnect|PipeConnect|Zlib|Http2|FileHandle|Worker|MessagePort|FSEvent|StatWatcher)/i.test(
    name,
  )
    ? upper
    : name;
}
