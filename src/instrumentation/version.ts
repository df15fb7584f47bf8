/**
 * The version of this package, which is the version of its instrumentation scopes. It stands here
 * and is not read from the manifest, which a bundled application leaves behind.
 */
export const VERSION: string = '0.1.0';
