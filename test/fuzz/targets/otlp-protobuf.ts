import { buildBody } from '../../../src/export/encoding/request-body.ts';
import { makeSlice } from '../../export/support/spans.ts';
import { damagedBytes } from '../damage.ts';
import { postOtlp } from '../post-otlp.ts';
import { FULL_SPAN } from '../samples.ts';
import type { Target } from '../target.ts';

/** An `AnyValue` in an `ArrayValue` in an `AnyValue` ...: each level is a length and two tags. */
function nested(depth: number): Buffer {
  let value: Buffer = Buffer.from([0x10, 1]);
  const wrapped = (tag: number, inner: Buffer): Buffer => {
    const length: number[] = [];
    for (let rest = inner.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    return Buffer.concat([Buffer.from([tag, ...length]), inner]);
  };
  for (let i = 0; i < depth; i++) value = wrapped(0x2a, wrapped(0x0a, value));
  const attribute = wrapped(
    0x0a,
    Buffer.concat([Buffer.from([0x0a, 1, 97]), wrapped(0x12, value)]),
  );
  return wrapped(0x0a, wrapped(0x0a, attribute));
}

/** OTLP as protobuf over HTTP into the viewer. */
export const otlpProtobuf: Target<Buffer> = {
  input: damagedBytes([
    buildBody([makeSlice([FULL_SPAN, FULL_SPAN])]),
    buildBody([makeSlice([FULL_SPAN])]),
    nested(20),
    nested(5000),
  ]),
  check: (body) => postOtlp(body, { 'content-type': 'application/x-protobuf' }),
};
