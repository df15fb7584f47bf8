import assert from 'node:assert/strict';

import { runNode } from '../support/run-node.ts';
