/** A test of others that passes bare and fails under clew, and why that stays. */
export interface KnownDifference {
  /** Matches the name in the report. */
  name: RegExp;
  reason: string;
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    name: /\/parallel\/test-runner-run\.mjs$/,
    reason:
      'counts the listeners of `beforeExit`, of which one is ours: it sends the last spans of a ' +
      'natural end',
  },
  {
    name: /\/parallel\/test-runner-run-watch\.mjs$/,
    reason:
      'changes a file every second, which breaks off the run under way: a start that takes longer, ' +
      'as on a busy machine, never gets to its end',
  },
  {
    name: /\/parallel\/test-(?:diagnostics-channel-memory-leak|source-map-cjs-require-cache)\.js$/,
    reason: 'allows a heap of 10 or 16 MB, which is less than an SDK takes',
  },
  {
    name: /^node-20\/(?:async-hooks\/test-|parallel\/test-async-(?:hooks-(?:disable-during-promise|enable-before-promise-resolve|promise-triggerid|top-level-clearimmediate)|wrap-promise-after-enabled)\.js$)/,
    reason:
      'sees the ticks of the streams of the loader thread, which `module.register` starts: Node 20 ' +
      'has no other import hooks',
  },
  {
    name: /^node-20\/parallel\/test-timers-immediate-(?:promisified|unref-simple)\.js$/,
    reason:
      'expects that an immediate without a reference never runs: the thread that `module.register` ' +
      'starts keeps the loop of Node 20 for one turn, with any hooks',
  },
  {
    name: /\/async-hooks\/test-(?:filehandle-no-reuse|graph\.http|http-agent-handle-reuse-\w+|pipewrap|querywrap|tlswrap)\.js$/,
    reason:
      'its collector fails at any resource that is older than its hook: spans are exported in one ' +
      'that was made at the start, so that no context of the application is kept, and a second ' +
      'after the start a timer of clew fires',
  },
  {
    name: /\/async-hooks\/test-graph\.(?:pipeconnect|shutdown|tls-write(?:-12)?)\.js$/,
    reason:
      'expects the server to be the trigger of what its `listening` callback makes: the callback ' +
      'runs in an async resource of clew, in the context of who called `listen`',
  },
  {
    name: /\/parallel\/test-(?:http-parser-lazy-loaded|tls-(?:clientcert|key)engine-unsupported|zlib-(?:\w+-)?kmaxlength-rangeerror)\.js$/,
    reason:
      'changes what `http`, `tls` or `zlib` takes when it is loaded: the parser, the class of secure ' +
      'contexts, `buffer.kMaxLength`. clew loads them at the start; what a `--require` before that ' +
      'of clew changes holds',
  },
  {
    name: /\/parallel\/test-process-finalization\.mjs$/,
    reason:
      'a worker registers an object that nothing holds, and expects its callback at the end: it is ' +
      'called only where V8 has collected nothing until then, and with clew the heap is larger',
  },
  {
    name: /\/parallel\/test-trace-(?:env|events-http)\.js$/,
    reason:
      "counts the environment's reads, or the requests of the process: settings and spans are among",
  },
  {
    name: /\/fastify\/test\/(?:hooks|pretty-print)\.test\.js$/,
    reason: 'counts or prints the hooks of an instance, two of which are ours: they find the route',
  },
  {
    name: /\/pino\/test\/http\.test\.js$/,
    reason: 'compares whole lines of the log of a request, which have the ids of its span',
  },
  {
    name: /\/parallel\/test-worker-(?:messaging|name)\.js$/,
    reason:
      'counts threads: the first worker of the application starts the one that sends spans, which ' +
      'then has the number or the name that the test looks for',
  },
  {
    name: /\/parallel\/test-worker-terminate-source-map\.js$/,
    reason:
      "counts the calls of methods of Array, Map and Object in a thread's end; clew's are among",
  },
  {
    name: /\/es-module\/test-esm-(?:data-urls|import-attributes-errors|invalid-data-urls)\.m?js$/,
    reason:
      'expects the error of an import without a format: with any synchronous load hook Node reports ' +
      'another one (ERR_INVALID_RETURN_PROPERTY_VALUE)',
  },
  {
    name: /^node-22\/es-module\/test-esm-cjs-named-error\.mjs$/,
    reason:
      'expects the longer error of a named import that a CommonJS module does not have: with any ' +
      'synchronous load hook Node 22 reports the short one',
  },
  {
    name: /^node-20\/es-module\/test-(?:cjs-prototype-pollution\.js|esm-(?:cjs-named-error|dynamic-import-commonjs|exports-deprecations|import-meta-resolve|imports-deprecations)\.mjs|esm-dynamic-import-mutating-fs\.m?js)$/,
    reason:
      'fails with any hooks of `module.register`, also with those that do nothing: Node 20 has no ' +
      'other import hooks',
  },
  {
    name: /\/module-hooks\/test-async-loader-hooks-called-with-register\.mjs$/,
    reason:
      'lists the keys of what its load hook is given: with any synchronous load hook there is ' +
      '`conditions`, too',
  },
  {
    name: /\/module-hooks\/test-async-loader-hooks-register-with-(?:cjs|url-parenturl)\.mjs$/,
    reason: 'its loader replaces `node:os`, which the modules of clew have imported before',
  },
  {
    name: /\/(?:es-module\/test-(?:loaders-workers-spawned|esm-(?:example-loader|initialization|loader-programmatically|loader-spawn-promisified|preserve-symlinks-not-found(?:-plain)?))\.mjs|parallel\/test-shadow-realm-custom-loaders\.js)$/,
    reason:
      'its loader counts, refuses or replaces whatever is imported, which the modules of clew are, ' +
      'too; where it does not let them in, clew reports that on stderr and the program runs',
  },
  {
    name: /^node-2[02]\/parallel\/test-cli-print-promise\.mjs$/,
    reason:
      'prints promises: where Node 20 and 22 run hooks of promises, as with any AsyncLocalStorage, ' +
      'they have symbols, which are printed',
  },
  {
    name: /^node-20\/parallel\/test-cli-node-print-help\.js$/,
    reason:
      'expects `node --help` to print before a closed pipe is noticed; any slower start fails',
  },
  {
    name: /\/es-module\/test-require-module-feature-detect\.js$/,
    reason:
      'turns off `require` of ES modules and expects an empty stderr: clew reports there that ' +
      'imports are not instrumented',
  },
  {
    name: /\/es-module\/test-require-(?:module|node-modules)-warning\.js$/,
    reason: 'has Node report each ES module that is required; the preload requires one',
  },
  {
    name: /\/module-hooks\/test-module-hooks-(?:load|resolve|resolve-load)-builtin-/,
    reason: 'expects that `zlib` was not loaded; clew loads it at the start',
  },
  {
    name: /\/parallel\/test-domain-set-uncaught-exception-capture-after-load\.js$/,
    reason:
      'looks for its function in a stack of ten frames: `require` has one more with clew, and two ' +
      'of these runs',
  },
];
