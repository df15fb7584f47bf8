/**
 * The environment of this process, which nothing else in the package reads but the commands. A
 * function: what is read at import would be fixed before a program had its say.
 */
export function environment(): NodeJS.ProcessEnv {
  return process.env;
}
