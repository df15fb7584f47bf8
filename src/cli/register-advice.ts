import { subscribe } from 'node:diagnostics_channel';

import { SETUP_NOTES } from '../base/setup-notes.ts';
import type { Report } from '../diagnosis/finding.ts';
import { CLIENTS } from '../instrumentation/index.ts';

/*
 * The diagnosis knows nothing of any library, but some of them lose nothing where `clew/register`
 * runs. The command adds that to a report of an application without any tracer.
 */

let hasClew = false;

/** Notices whether clew's instrumentations start. Call it before the application runs. */
export function watchForClew(): void {
  subscribe(SETUP_NOTES, () => (hasClew = true));
}

/** Names `clew/register` in findings about the libraries that it instruments. */
export function withRegisterAdvice(report: Report): Report {
  // A tracer that is there has its own instrumentations; two would make every span twice.
  return hasClew || report.spans > 0 ? report : advise(report);
}

/** Adds the advice to the losses that a client library of the application caused. */
export function advise(report: Report): Report {
  const modules = new Map<string, string>();
  for (const [name, { modules: parts }] of Object.entries(CLIENTS)) {
    for (const { module } of parts) modules.set(module, name);
  }
  const findings = report.findings.map((finding) => {
    const { kind, handOver, fix } = finding;
    const library = modules.get(handOver?.package ?? '');
    const isLoss = kind === 'lost' || kind === 'mixed';
    if (library === undefined || !isLoss) return finding;
    const setup = `node --import clew/register app.js: it keeps the context of ${library}`;
    return { ...finding, fix: { ...fix, setup } };
  });
  return { ...report, findings };
}
