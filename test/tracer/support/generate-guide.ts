import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

import { NODE_LINES, nodeOfLine } from '../../support/other-nodes.ts';
import {
  drawsGraph,
  GUIDE,
  OUTPUTS,
  programs,
  renderGuide,
  runProgram,
  type Outputs,
} from './guide.ts';

/*
 * Runs every program of examples/async-hooks under each Node line and writes what they printed,
 * and the guide made of it.
 */
const outputs: Outputs = {};
for (const line of NODE_LINES) {
  const node = nodeOfLine(line);
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
  const printed: Record<string, string> = {};
  for (const program of programs()) {
    printed[program] = runProgram(node, program);
    if (drawsGraph(program)) printed[`${program} graph`] = runProgram(node, program, ['graph']);
  }
  outputs[line] = { version, printed };
}
writeFileSync(OUTPUTS, `${JSON.stringify(outputs, undefined, 2)}\n`);
writeFileSync(GUIDE, renderGuide(outputs));
