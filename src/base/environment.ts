/**
 * The environment of this process. Apart from the commands, nothing else in the package reads it. A
 * function, since a value read at import would be fixed before a program could change it.
 */
export function environment(): NodeJS.ProcessEnv {
  return process.env;
}
