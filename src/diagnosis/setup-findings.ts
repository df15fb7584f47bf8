import type { Certainty, Finding, FindingName } from './finding.ts';
import { yourFrame } from './stack-frames.ts';
import type { Frame, SetupFact } from './record.ts';
import { DOCS, type Surroundings } from './surroundings.ts';

interface Words {
  name: FindingName;
  certainty: Certainty;
  summary: string;
  change: string;
  stack?: readonly Frame[];
  note?: boolean;
}

/** Turns faults in the set-up into findings. */
export function setupFindings(facts: readonly SetupFact[], surroundings: Surroundings): Finding[] {
  return facts.map((fact) => {
    const { name, certainty, summary, change, stack = [], note = false } = wordsFor(fact);
    const your = yourFrame(stack);
    const place = your && surroundings.original(your);
    const code = place && surroundings.sourceLine(place.file, place.line)?.trim();
    return {
      number: 0,
      name,
      kind: 'setup',
      certainty,
      note,
      count: 'count' in fact ? fact.count : 1,
      brokenSpans: 0,
      summary,
      ...(place ? { yourLine: code ? { ...place, code } : place } : {}),
      fix: {
        rules: [],
        change: place ? { file: place.file, line: place.line, text: change } : { text: change },
      },
      docs: `${DOCS}#${name.toLowerCase()}`,
    };
  });
}

function wordsFor(fact: SetupFact): Words {
  switch (fact.fault) {
    case 'loaded-early':
      return {
        name: 'CLEW-SETUP-LOADED-EARLY',
        certainty: 'likely',
        summary: `SET-UP ${fact.package} was loaded before ${fact.instrumentation}`,
        change: `load the tracing set-up first: node --import ./tracing.mjs app.js`,
        stack: fact.stack,
      };
    case 'api-copies': {
      const versions = fact.copies.map(({ version }) => version).join(', ');
      const broken = fact.copies.filter(({ works }) => !works);
      return {
        name: 'CLEW-SETUP-API-COPIES',
        certainty: 'proven',
        summary: `SET-UP ${fact.copies.length} copies of @opentelemetry/api (${versions}): spans of ${broken.map(({ path }) => path).join(', ')} go nowhere`,
        change: 'npm dedupe, or one version of @opentelemetry/api in "overrides"',
      };
    }
    case 'second-provider':
      return {
        name: 'CLEW-SETUP-SECOND-PROVIDER',
        certainty: 'proven',
        summary: `SET-UP ${fact.what} was refused: one was registered before`,
        change: 'register once per process, or add your processors to the first one',
        stack: fact.stack,
      };
    case 'esm-hook':
      return {
        name: 'CLEW-SETUP-ESM-HOOK',
        certainty: 'likely',
        summary: `SET-UP imports of ${fact.packages.join(', ')} bypass the instrumentation: no ESM hook`,
        change:
          'node --experimental-loader=@opentelemetry/instrumentation/hook.mjs, or --import clew/register',
      };
    case 'export-fails':
      return {
        name: 'CLEW-SETUP-EXPORT-FAILS',
        certainty: 'proven',
        summary: `SET-UP ${fact.count} × export to ${fact.target} failed: ${fact.reason}`,
        change: 'check OTEL_EXPORTER_OTLP_ENDPOINT, its path and its headers',
      };
    case 'no-collector':
      return {
        name: 'CLEW-SETUP-NO-COLLECTOR',
        // Nobody said that there is one: it may run elsewhere only, in production.
        certainty: fact.isDefault === true ? 'possible' : 'proven',
        summary: `SET-UP nothing takes spans at ${fact.isDefault === true ? 'the default address ' : ''}${fact.target}: ${fact.reason}`,
        change: 'start a collector there, or set OTEL_EXPORTER_OTLP_ENDPOINT',
      };
    case 'bundled':
      return {
        name: 'CLEW-SETUP-BUNDLED',
        certainty: 'likely',
        summary: `SET-UP ${fact.entry} is a bundle with ${fact.packages.slice(0, 5).join(', ')} inside`,
        change: 'mark these packages as external, or instrument them by hand',
      };
    default:
      return {
        name: 'CLEW-SETUP-VERSION',
        certainty: 'proven',
        summary: `SET-UP ${fact.package} ${fact.version} does not fit: ${fact.expected}`,
        change: `install a version of ${fact.package} that fits`,
      };
  }
}
