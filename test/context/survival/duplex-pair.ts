import { Duplex } from 'node:stream';

/** Two streams, each of which reads what is written to the other. */
export function duplexPair(): [Duplex, Duplex] {
  const make = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write: (chunk, _encoding, callback) => {
        other().push(chunk);
        setImmediate(callback);
      },
      final: (callback) => {
        other().push(null);
        callback();
      },
    });
  const left: Duplex = make(() => right);
  const right: Duplex = make(() => left);
  return [left, right];
}
