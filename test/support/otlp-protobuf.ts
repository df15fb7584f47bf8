import type { OtlpAnyValue, OtlpKeyValue, OtlpRequest, OtlpSpan } from './otlp-types.ts';

/*
 * Reads an OTLP trace request from protobuf into the shape of OTLP/JSON: ids in hexadecimal, 64-bit
 * numbers as decimal strings. Written against the .proto files alone, so that it is a second
 * opinion on what the package encodes.
 */

type Field = (number: number, reader: Reader, wireType: number) => boolean;

class Reader {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Calls `field` for each field until it has none; what `field` does not know is an error. */
  message(field: Field): void {
    while (this.#position < this.#bytes.length) {
      const tag = Number(this.varint());
      if (!field(tag >>> 3, this, tag & 7)) {
        throw new Error(`unknown field ${tag >>> 3} of wire type ${tag & 7}`);
      }
    }
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined || shift > 63n) throw new Error('broken varint');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  fixed64(): string {
    this.#position += 8;
    return this.#bytes.readBigUInt64LE(this.#position - 8).toString();
  }

  fixed32(): number {
    this.#position += 4;
    return this.#bytes.readUInt32LE(this.#position - 4);
  }

  double(): number {
    this.#position += 8;
    return this.#bytes.readDoubleLE(this.#position - 8);
  }

  bytes(): Buffer {
    const length = Number(this.varint());
    const end = this.#position + length;
    if (end > this.#bytes.length) throw new Error('truncated message');
    const bytes = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return bytes;
  }

  string(): string {
    return this.bytes().toString('utf8');
  }

  number(): number {
    return Number(this.varint());
  }
}

function parse<T>(bytes: Buffer, into: T, field: (into: T) => Field): T {
  new Reader(bytes).message(field(into));
  return into;
}

/** Decodes an `ExportTraceServiceRequest`; throws on anything that is not one. */
export function decodeRequest(bytes: Buffer): OtlpRequest {
  return parse<OtlpRequest>(bytes, { resourceSpans: [] }, (request) => (number, reader) => {
    if (number !== 1) return false;
    const empty = { resource: { attributes: [] }, scopeSpans: [] };
    request.resourceSpans.push(parse(reader.bytes(), empty, resourceSpans));
    return true;
  });
}

function resourceSpans(into: OtlpRequest['resourceSpans'][number]): Field {
  return (number, reader) => {
    if (number === 1) {
      parse(reader.bytes(), into.resource, (resource) => (inner, values) => {
        if (inner === 1) resource.attributes.push(keyValue(values.bytes()));
        else if (inner === 2) resource.droppedAttributesCount = values.number();
        else return false;
        return true;
      });
    } else if (number === 2) {
      const empty = { scope: { name: '' }, spans: [] };
      into.scopeSpans.push(parse(reader.bytes(), empty, scopeSpans));
    } else if (number === 3) into.schemaUrl = reader.string();
    else return false;
    return true;
  };
}

function scopeSpans(into: OtlpRequest['resourceSpans'][number]['scopeSpans'][number]): Field {
  return (number, reader) => {
    if (number === 1) {
      parse(reader.bytes(), into.scope, (scope) => (inner, values) => {
        if (inner === 1) scope.name = values.string();
        else if (inner === 2) scope.version = values.string();
        else if (inner === 3) (scope.attributes ??= []).push(keyValue(values.bytes()));
        else if (inner === 4) scope.droppedAttributesCount = values.number();
        else return false;
        return true;
      });
    } else if (number === 2) into.spans.push(span(reader.bytes()));
    else if (number === 3) into.schemaUrl = reader.string();
    else return false;
    return true;
  };
}

function span(bytes: Buffer): OtlpSpan {
  const empty: OtlpSpan = {
    traceId: '',
    spanId: '',
    name: '',
    kind: 0,
    startTimeUnixNano: '0',
    endTimeUnixNano: '0',
    attributes: [],
    events: [],
    links: [],
    status: {},
  };
  return parse(bytes, empty, (into) => (number, reader) => {
    if (number === 1) into.traceId = reader.bytes().toString('hex');
    else if (number === 2) into.spanId = reader.bytes().toString('hex');
    else if (number === 3) into.traceState = reader.string();
    else if (number === 4) into.parentSpanId = reader.bytes().toString('hex');
    else if (number === 5) into.name = reader.string();
    else if (number === 6) into.kind = reader.number();
    else if (number === 7) into.startTimeUnixNano = reader.fixed64();
    else if (number === 8) into.endTimeUnixNano = reader.fixed64();
    else if (number === 9) into.attributes.push(keyValue(reader.bytes()));
    else if (number === 10) into.droppedAttributesCount = reader.number();
    else if (number === 11) into.events.push(event(reader.bytes()));
    else if (number === 12) into.droppedEventsCount = reader.number();
    else if (number === 13) into.links.push(link(reader.bytes()));
    else if (number === 14) into.droppedLinksCount = reader.number();
    else if (number === 15) {
      parse(reader.bytes(), into.status, (status) => (inner, values) => {
        if (inner === 2) status.message = values.string();
        else if (inner === 3) status.code = values.number();
        else return false;
        return true;
      });
    } else if (number === 16) into.flags = reader.fixed32();
    else return false;
    return true;
  });
}

function event(bytes: Buffer): OtlpSpan['events'][number] {
  const empty: OtlpSpan['events'][number] = { timeUnixNano: '0', name: '', attributes: [] };
  return parse(bytes, empty, (into) => (number, reader) => {
    if (number === 1) into.timeUnixNano = reader.fixed64();
    else if (number === 2) into.name = reader.string();
    else if (number === 3) into.attributes.push(keyValue(reader.bytes()));
    else if (number === 4) into.droppedAttributesCount = reader.number();
    else return false;
    return true;
  });
}

function link(bytes: Buffer): OtlpSpan['links'][number] {
  const empty: OtlpSpan['links'][number] = { traceId: '', spanId: '', attributes: [] };
  return parse(bytes, empty, (into) => (number, reader) => {
    if (number === 1) into.traceId = reader.bytes().toString('hex');
    else if (number === 2) into.spanId = reader.bytes().toString('hex');
    else if (number === 3) into.traceState = reader.string();
    else if (number === 4) into.attributes.push(keyValue(reader.bytes()));
    else if (number === 5) into.droppedAttributesCount = reader.number();
    else if (number === 6) into.flags = reader.fixed32();
    else return false;
    return true;
  });
}

function keyValue(bytes: Buffer): OtlpKeyValue {
  return parse(bytes, { key: '', value: {} }, (into) => (number, reader) => {
    if (number === 1) into.key = reader.string();
    else if (number === 2) into.value = anyValue(reader.bytes());
    else return false;
    return true;
  });
}

function anyValue(bytes: Buffer): OtlpAnyValue {
  return parse<OtlpAnyValue>(bytes, {}, (into) => (number, reader) => {
    if (number === 1) into.stringValue = reader.string();
    else if (number === 2) into.boolValue = reader.varint() !== 0n;
    else if (number === 3) into.intValue = BigInt.asIntN(64, reader.varint()).toString();
    else if (number === 4) into.doubleValue = reader.double();
    else if (number === 5) {
      const values: OtlpAnyValue[] = [];
      new Reader(reader.bytes()).message((inner, items) => {
        if (inner === 1) values.push(anyValue(items.bytes()));
        return inner === 1;
      });
      into.arrayValue = { values };
    } else if (number === 6) {
      const values: OtlpKeyValue[] = [];
      new Reader(reader.bytes()).message((inner, items) => {
        if (inner === 1) values.push(keyValue(items.bytes()));
        return inner === 1;
      });
      into.kvlistValue = { values };
    } else if (number === 7) into.bytesValue = reader.bytes().toString('base64');
    else return false;
    return true;
  });
}
