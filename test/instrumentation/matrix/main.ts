import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { createInstance, type Instance } from '../../support/instances.ts';
import { withGenerated } from '../../support/generated-part.ts';
import { nodeOfLine, NODE_LINES } from '../../support/other-nodes.ts';
import { DATADOG_NODE, hasDatadog } from '../../support/datadog.ts';
import { hasOfficial } from './official.ts';
import { SUITES } from './suites.ts';
import { summaryOf } from './summary.ts';
import type { Verdict } from './verdict.ts';

/*
 * Writes docs/api-forms.md: every form of every client, with this package and with OpenTelemetry's
 * own and dd-trace, from the same run, and the summary in docs/databases.md of it. `NODES=20,24 npm run matrix -- pg mysql2`
 * runs a part of it; the table is then printed and not written. `npm run matrix -- --summary` runs
 * nothing and makes the summary anew from the page that is there.
 */
const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
const PAGE = fileURLToPath(new URL('../../../../docs/api-forms.md', import.meta.url));
const DATABASES = fileURLToPath(new URL('../../../../docs/databases.md', import.meta.url));
const lines = process.env['NODES']?.split(',') ?? NODE_LINES;
const asked = process.argv.slice(2);
const isSummaryOnly = asked.includes('--summary');
const clients = isSummaryOnly ? [] : asked.length > 0 ? asked : Object.keys(SUITES);

interface Line extends Verdict {
  setting: string;
  form: string;
  withSpan: boolean;
}

/** By setting and form: what was seen, over all Nodes and both modes. */
type Results = Map<string, { contexts: Set<string>; spans: Set<string> }>;

/** What was seen under other tools, by their names. */
type Others = Record<string, Results>;

const instances = new Map<string, Instance>();
const sections: string[] = [];
/** By client: the Nodes on which its installed version cannot be loaded. */
const absent = new Map<string, Set<string>>();
let trials = 0;
let own = 0;
try {
  for (const client of clients) {
    const { service } = await SUITES[client]!();
    if (service && !instances.has(service)) {
      const instance = await createInstance(service);
      if (typeof instance === 'string') throw new Error(`There is no ${service}: ${instance}`);
      instances.set(service, instance);
    }
    const url = service ? instances.get(service)!.url : '';
    const ours = await tryAll(client, 'clew', url);
    const others: Others = {};
    if (hasOfficial(client)) others['official'] = await tryAll(client, 'official', url);
    if (hasDatadog(client)) others['dd-trace'] = await tryAll(client, 'dd-trace', url);
    sections.push(tableOf(client, ours, others));
  }
} finally {
  for (const instance of instances.values()) await instance.stop();
}

async function tryAll(client: string, variant: string, url: string): Promise<Results> {
  const results: Results = new Map();
  const tried =
    variant === 'dd-trace' ? lines.filter((line) => Number(line) >= DATADOG_NODE) : lines;
  for (const line of tried) {
    const stdout = await tryOn(line, client, variant, url);
    if (stdout === undefined) continue;
    for (const text of stdout.split('\n').filter((part) => part.startsWith('{'))) {
      const { setting, form, withSpan, context, spans } = JSON.parse(text) as Line;
      const key = `${setting} | ${form}`;
      const seen = results.get(key) ?? { contexts: new Set(), spans: new Set() };
      results.set(key, seen);
      seen.contexts.add(context);
      // Without a caller's span there is no trace to be in.
      if (withSpan) seen.spans.add(spans);
      if (variant !== 'clew') continue;
      trials++;
      if (context === 'own') own++;
    }
  }
  return results;
}

/** What the trials on one Node print; undefined where the client cannot be loaded there. */
async function tryOn(
  line: string,
  client: string,
  variant: string,
  url: string,
): Promise<string | undefined> {
  try {
    const options = { maxBuffer: 1e8 };
    const args = [CHILD, client, variant, url];
    return (await promisify(execFile)(nodeOfLine(line), args, options)).stdout;
  } catch (error) {
    const { signal, stderr = '' } = error as { signal?: string; stderr?: string };
    // A native add-on for a later Node crashes an earlier one; a built-in module may not be there.
    const cannotLoad =
      signal === 'SIGSEGV' || /ERR_UNKNOWN_BUILTIN_MODULE|MODULE_NOT_FOUND|ERR_DLOPEN/.test(stderr);
    if (!cannotLoad) throw error;
    absent.set(client, (absent.get(client) ?? new Set()).add(line));
    return undefined;
  }
}

function tableOf(client: string, ours: Results, others: Others): string {
  const tools = Object.entries(others);
  const columns = ['clew', ...Object.keys(others)].flatMap((name) =>
    tools.length > 0 ? [`${name}: context`, `${name}: spans`] : ['context', 'spans'],
  );
  const head = `| ${['setting', 'form', ...columns].join(' | ')} |`;
  const rule = head.replace(/[^|]+/g, ' --- ');
  const rows = [...ours].map(([key, seen]) => {
    const cells = [key, cell(seen.contexts), cell(seen.spans)];
    for (const [, results] of tools) {
      const other = results.get(key);
      cells.push(cell(other?.contexts), cell(other?.spans));
    }
    return `| ${cells.join(' | ')} |`;
  });
  const nodes = [...(absent.get(client) ?? [])];
  const note =
    nodes.length > 0 ? [`Not tried on Node ${nodes.join(', ')}, where it does not load.`, ''] : [];
  if (rows.length === 0) return [`## ${client}`, '', ...note].join('\n').trimEnd();
  return [`## ${client}`, '', ...note, head, rule, ...rows].join('\n');
}

function cell(seen: Set<string> | undefined): string {
  if (!seen || seen.size === 0) return 'nothing';
  return [...seen].sort().join(' / ');
}

const page = `# API forms

Every way to call each client, by three callers at the same time on one connection or on a pool of
one, first inside a span each and then with a context key alone, on Node ${lines.join(', ')}.
Generated by \`npm run matrix\`; \`npm test\` tries the same forms.

**context**: where the caller's callbacks, listeners and continuations ran. *own*: always in their
caller's context; *inside*: some inside a span of the client, so that what they do looks like a part of
the query; *lost*: some without any context; *foreign*: some in another caller's context; *hangs*: not
all of them were called. **spans**: database spans for each caller; where there should be another number
it says so. dd-trace carries its spans and no other contexts: it is tried inside a span alone, on Node ${DATADOG_NODE} and
later, which it needs.

With this package ${own} of ${trials} trials were *own*.

${sections.join('\n\n')}
`;
if (isSummaryOnly) {
  writeSummary(readFileSync(PAGE, 'utf8'));
} else if (asked.length > 0 || process.env['NODES']) {
  process.stdout.write(page);
} else {
  writeFileSync(PAGE, page);
  writeSummary(page);
}

function writeSummary(forms: string): void {
  writeFileSync(
    DATABASES,
    withGenerated(readFileSync(DATABASES, 'utf8'), 'api-forms', summaryOf(forms)),
  );
}
