#!/usr/bin/env node
import { ClewError, messageOf } from '../base/errors.ts';
import { foldedFor } from '../base/log.ts';
import { plainText } from '../base/plain-text.ts';
import { VERSION } from '../instrumentation/version.ts';
import { commands } from './commands.ts';

const USAGE = `Usage: clew <command> [options]

Commands
${Object.entries(commands)
  .map(([name, command]) => `  ${name.padEnd(10)}${command.summary}`)
  .join('\n')}

\`clew <command> --help\` shows the options of a command;
\`clew --version\` the version.
To trace an application: node --import clew/register app.js`;

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(USAGE);
    return 0;
  }
  if (name === '--version' || name === '-v') {
    console.log(VERSION);
    return 0;
  }
  const command = commands[name];
  if (command === undefined) {
    console.error(`clew: there is no command \`${plainText(name)}\`.\n\n${USAGE}`);
    return 2;
  }
  try {
    const run = await command.load();
    return await run(args);
  } catch (error) {
    const line = `clew ${name}: ${plainText(messageOf(error))}`;
    console.error(foldedFor(process.stderr, line).join('\n'));
    // What the user can mend needs no stack; anything else is ours to mend.
    if (!(error instanceof ClewError) && error instanceof Error) console.error(error.stack);
    return error instanceof ClewError && error.code === 'ERR_OPTION' ? 2 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
