import { KAFKA, NATS } from './brokers.ts';
import { FERRETDB } from './ferretdb.ts';
import { goBinary } from './go-build.ts';
import { JAEGER } from './jaeger.ts';

/* Builds servers ahead of the tests, which have little time for it. A machine without Go does without. */
for (const program of [FERRETDB, NATS, KAFKA, JAEGER]) {
  const found = goBinary(program);
  console.log(
    typeof found === 'string' ? `There is ${found}` : `${program.name} is ${found.binary}`,
  );
}
