/**
 * `npx tsx test/native/x87/ulps.ts [COUNT]`: prints the table of docs/cpu-x87.md, with COUNT random
 * operands a row, compared with the processor that it runs on.
 */
import { MEASURED, measure } from './functions.js';
import { NativeProcessor } from './native.js';

const DEFAULT_COUNT = 5000;

function main(count: number): void {
  const native = NativeProcessor.build();
  console.log(
    '| function | ST(0), ST(1) | error | same as native | furthest from native | native error |',
  );
  console.log('| --- | --- | --- | --- | --- | --- |');
  MEASURED.forEach((row, i) => {
    const found = measure(row, count, i + 1, native);
    const share =
      found.sameAsNative === null ? '' : `${((100 * found.sameAsNative) / count).toFixed(1)} %`;
    const cells = [
      found.name,
      found.range,
      found.worst.toFixed(4),
      share,
      String(found.worstToNative ?? ''),
      found.worstOfNative?.toFixed(4) ?? '',
    ];
    console.log(`| ${cells.join(' | ')} |`);
  });
  native?.dispose();
}

main(Number(process.argv[2] ?? DEFAULT_COUNT));
