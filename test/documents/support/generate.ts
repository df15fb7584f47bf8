import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { withGenerated } from '../../support/generated-part.ts';
import { apiPage } from './api.ts';
import { importsOfFolders, layersDiagram } from './layers.ts';
import { llmsText } from './llms.ts';
import { mcpInputs } from './mcp-tools.ts';
import { ROOT } from './page.ts';

/*
 * Writes docs/api.md, the picture in docs/architecture.md, the inputs of tools in docs/viewing.md, or
 * llms.txt: `npm run docs:api`, and so on.
 */
const [what] = process.argv.slice(2);
if (what === 'llms') writeFileSync(join(ROOT, 'llms.txt'), llmsText());
else if (what === 'mcp') {
  const page = join(ROOT, 'docs/viewing.md');
  writeFileSync(page, withGenerated(readFileSync(page, 'utf8'), 'mcp inputs', mcpInputs()));
} else if (what === 'architecture') {
  const page = join(ROOT, 'docs/architecture.md');
  const picture = layersDiagram(importsOfFolders());
  writeFileSync(page, withGenerated(readFileSync(page, 'utf8'), 'layers', picture));
} else writeFileSync(join(ROOT, 'docs/api.md'), await apiPage());
