'use strict';
/*
 * Runs the main program in a context of its own. Loaded after clew's preload; where there is none,
 * as in the control run, it enters an AsyncLocalStorage, so that what differs there is not clew's.
 */
const { AsyncLocalStorage } = require('node:async_hooks');
const Module = require('node:module');
const { context, createContextKey, ROOT_CONTEXT } = require('@opentelemetry/api');

const foreign = ROOT_CONTEXT.setValue(createContextKey('foreign tests'), true);
const storage = new AsyncLocalStorage();

function inContext(run) {
  return context.with(foreign, () =>
    context.active() === foreign ? run() : storage.run(true, run),
  );
}

// `--require` loads this before Node asks for the main program, `--import` after.
const { runMain, _load: load } = Module;
Module.runMain = function (...args) {
  return inContext(() => runMain.apply(this, args));
};
Module._load = function (request, parent, isMain) {
  const run = () => load.apply(this, arguments);
  return isMain ? inContext(run) : run();
};
