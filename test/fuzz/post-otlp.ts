import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';

import { readRequest } from '../../src/export/encoding/otlp-json.ts';
import { HttpError } from '../../src/viewer/http/read-body.ts';
import { Receiver } from '../../src/viewer/http/receiver.ts';
import { assertClear } from './target.ts';
import { assertViewable, newViewer } from './viewed.ts';

/** Hands a body to the viewer's receiver as an HTTP server would, and looks at what it made of it. */
export async function postOtlp(body: Buffer, headers: Record<string, string>): Promise<void> {
  const viewer = newViewer();
  const receiver = new Receiver({ viewer, decodeProtobuf: readRequest });
  const request = Object.assign(Readable.from([body]), { headers });
  let answered = false;
  const response = { setHeader: () => undefined, end: () => (answered = true) };
  try {
    await receiver.receive(
      request as unknown as IncomingMessage,
      response as unknown as ServerResponse,
    );
    assert.ok(answered);
  } catch (error) {
    assertClear(error);
    assert.ok(error instanceof HttpError && error.status >= 400 && error.status < 500);
    assert.equal(viewer.summary().dropped.refused, 1);
    assert.equal(viewer.store.spanCount, 0, 'a request that is refused adds nothing');
  }
  assertViewable(viewer);
}
