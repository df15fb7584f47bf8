/**
 * The environment of this process. Apart from the commands, nothing else in the package reads it. A
 * function, since a value read at import would be fixed before a program could change it.
 *
 * pm2 in cluster mode passes the environment of its ecosystem file in one variable, `pm2_env`, and sets it only
 * after the preload. What it is going to set is part of the environment already.
 */
export function environment(): NodeJS.ProcessEnv {
  const { pm2_env: passed } = process.env;
  return passed === undefined ? process.env : { ...process.env, ...parsed(passed) };
}

/** The values that pm2 will set: texts and numbers. Without any where it is not what pm2 writes. */
function parsed(text: string): Record<string, string> {
  try {
    const values: unknown = JSON.parse(text);
    if (typeof values !== 'object' || values === null) return {};
    const set = Object.entries(values).filter(([, value]) =>
      /^(?:string|number)$/.test(typeof value),
    );
    return Object.fromEntries(set.map(([name, value]) => [name, String(value)]));
  } catch {
    return {};
  }
}
