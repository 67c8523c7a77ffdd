/** docs/gdb.md lists what there is, and nothing else. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { textToHex } from '../../src/gdbstub/bytes.js';
import { PACKET_NAMES } from '../../src/gdbstub/commands/table.js';
import { I386_LAYOUT } from '../../src/gdbstub/i386-registers.js';
import { TimelineTarget } from '../../src/gdbstub/timeline-target.js';
import { loopTimeline } from './guests.js';
import { TestClient } from './test-client.js';

const MANUAL = readFileSync(new URL('../../docs/gdb.md', import.meta.url), 'utf8');
const target = new TimelineTarget(loopTimeline(10));
const commands = target.monitor.map(({ name }) => name).sort();

/** The words in backticks of the first column of the table under a heading. */
function firstColumn(heading: string): string[] {
  const [, section = ''] = MANUAL.split(`\n## ${heading}\n`);
  const rows = section.split('\n## ')[0].split('\n');
  const cells = rows.filter((row) => row.startsWith('|')).map((row) => row.split(' | ')[0]);
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, word]) => word));
}

describe('docs/gdb.md', () => {
  test('lists every packet', () => {
    expect(firstColumn('Packets').sort()).toEqual([...PACKET_NAMES].sort());
  });

  test('lists every monitor command', () => {
    const words = firstColumn('monitor commands').flatMap((cell) => {
      const [, name] = /^monitor ([\w-]+)/.exec(cell) ?? [null, cell];
      return commands.includes(name) || cell.startsWith('monitor ') ? [name] : [];
    });
    expect([...new Set(words)].sort()).toEqual([...commands, 'help'].sort());
  });

  test('lists every register that a process has not', () => {
    const named = firstColumn('Registers').flatMap((name) => name.split('-'));
    const own = I386_LAYOUT.features.slice(1).flatMap(({ registers }) => registers);
    for (const { name } of own) {
      const isInRange = /^dr[12]$/.test(name) || /^[defgs]s_base$/.test(name);
      if (!isInRange) expect(named).toContain(name);
    }
  });
});

describe('monitor help', () => {
  test.each(commands)('has a page on %s', (name) => {
    const replies = new TestClient(target).ask(`qRcmd,${textToHex(`help ${name}`)}`);
    const text = Buffer.from(replies[0].slice(1), 'hex').toString('utf8');
    expect(text).toMatch(new RegExp(`^monitor ${name}\\b.*\n  \\S.{10,}`));
  });
});
