/*
 * The part of an `ExportTraceServiceResponse` that matters: how many spans were rejected, and why.
 * A response that cannot be read counts as a full success, as its status indicates.
 */

export interface PartialSuccess {
  rejected: number;
  message: string;
}

export function readResponse(body: Buffer, contentType: string | undefined): PartialSuccess {
  const none = { rejected: 0, message: '' };
  if (body.length === 0) return none;
  try {
    return contentType?.includes('json') ? readJson(body) : (readProtobuf(body) ?? none);
  } catch {
    return none;
  }
}

function readJson(body: Buffer): PartialSuccess {
  const { partialSuccess } = JSON.parse(body.toString()) as {
    partialSuccess?: { rejectedSpans?: string | number; errorMessage?: string };
  };
  return {
    rejected: Math.max(0, Number(partialSuccess?.rejectedSpans ?? 0) || 0),
    message: partialSuccess?.errorMessage ?? '',
  };
}

/** Reads field 1, `partial_success`, and of it 1, `rejected_spans`, and 2, `error_message`. */
function readProtobuf(body: Buffer): PartialSuccess | undefined {
  let result: PartialSuccess | undefined;
  readFields(body, (number, _value, bytes) => {
    if (number !== 1) return;
    const found = { rejected: 0, message: '' };
    readFields(bytes, (inner, value, text) => {
      if (inner === 1) found.rejected = value;
      if (inner === 2) found.message = text.toString('utf8');
    });
    result = found;
  });
  return result;
}

/** Bytes of a varint of 64 bits. */
const MAX_VARINT = 10;

/** Calls `onField` for each field with its bytes, and with its value where it is a varint. */
export function readFields(
  buffer: Buffer,
  onField: (number: number, value: number, bytes: Buffer) => void,
): void {
  let position = 0;
  const varint = (): number => {
    let value = 0;
    let scale = 1;
    for (let end = position + MAX_VARINT; ;) {
      const byte = buffer[position++];
      if (byte === undefined || position > end)
        throw new RangeError('truncated or broken protobuf');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (position < buffer.length) {
    const tag = varint();
    const wireType = tag & 7;
    const number = Math.floor(tag / 8);
    if (wireType === 0) {
      const start = position;
      const value = varint();
      onField(number, value, buffer.subarray(start, position));
    } else if (wireType === 2) {
      const length = varint();
      if (position + length > buffer.length) throw new RangeError('truncated protobuf');
      onField(number, 0, buffer.subarray(position, position + length));
      position += length;
    } else if (wireType === 1 || wireType === 5) {
      const end = position + (wireType === 1 ? 8 : 4);
      if (end > buffer.length) throw new RangeError('truncated protobuf');
      onField(number, 0, buffer.subarray(position, end));
      position = end;
    } else throw new RangeError(`protobuf wire type ${wireType}`);
  }
}
