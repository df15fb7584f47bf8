import { TOOLS } from '../../../src/cli/mcp/tools.ts';
import type { InputSchema } from '../../../src/cli/mcp/check-input.ts';

/** The table of the inputs of `clew mcp`'s tools, from their schemas. */
export function mcpInputs(): string {
  const rows = TOOLS.flatMap(({ name, inputSchema: { properties, required } }) => {
    const inputs = Object.entries(properties);
    if (inputs.length === 0) return [[`\`${name}\``, 'none', '', '']];
    return inputs.map(([input, schema], index) => [
      index === 0 ? `\`${name}\`` : '',
      `\`${input}\`${required.includes(input) ? ', required' : ''}`,
      typeOf(schema),
      schema.description,
    ]);
  });
  const all = [['tool', 'input', 'type', 'what it is'], ...rows];
  const widths = [0, 1, 2, 3].map((i) => Math.max(3, ...all.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = all;
  return [
    line(head),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...body.map(line),
  ].join('\n');
}

function typeOf(schema: InputSchema): string {
  if ('enum' in schema) return schema.enum.map((value) => `\`${value}\``).join(', ');
  return schema.type === 'string' ? 'text' : `${schema.minimum} to ${schema.maximum}`;
}
