const BUILDER = new URL('../../../examples/async-hooks/lib/build-add-on.js', import.meta.url);

/**
 * Compiles and loads the add-on of the examples, or the one whose source stands at `source`, a path
 * from the root of the repository. Without a compiler `missing` says what it takes.
 */
export async function buildAddOn<AddOn>(
  source?: string,
): Promise<{ addOn?: AddOn; missing?: string }> {
  const builder = (await import(BUILDER.href)) as {
    buildAddOn: (file?: URL) => { addOn?: AddOn; missing?: string };
  };
  return builder.buildAddOn(source ? new URL(`../../../${source}`, import.meta.url) : undefined);
}

/** The add-on of the examples: adds up numbers on a thread. */
export interface Sum {
  sum(n: number, callback: (sum: number) => void): void;
}
