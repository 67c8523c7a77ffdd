/** Page tables, of two levels or three: the first 64 KiB are linear = physical, all else is anything. */
import type { Choices } from './choices.js';
import * as M from './layout.js';
import type { Memory } from './memory.js';

const PRESENT_WRITABLE = 3;
const USER = 4;
/** The entry of a directory maps a page of 4 MiB, or 2 MiB. */
const LARGE = 0x80;
/** Pages below this hold tables, stacks and handlers, which mostly have to be there. */
const FIRST_FREE_PAGE = 6;

/** The rights of a page: mostly all of them. */
function anyRights(choices: Choices): number {
  let bits = 0;
  if (!choices.oneIn(12)) bits |= 1;
  if (!choices.oneIn(6)) bits |= 2;
  if (!choices.oneIn(6)) bits |= USER;
  if (choices.oneIn(2)) bits |= 0x20;
  if (choices.oneIn(2)) bits |= 0x40;
  if (choices.oneIn(20)) bits |= choices.below(8) << 7;
  return bits;
}

function lowEntry(choices: Choices, page: number): number {
  if (page > 15 && choices.oneIn(2)) return choices.word();
  if (page < FIRST_FREE_PAGE && !choices.oneIn(8)) return page * 0x1000 + PRESENT_WRITABLE;
  const frame = page >= FIRST_FREE_PAGE && choices.oneIn(10) ? choices.below(20) : page;
  return frame * 0x1000 + anyRights(choices);
}

/** The entry of a directory for the lowest addresses: a table, or now and then one large page. */
function firstEntry(choices: Choices, hasLargePages: boolean): number {
  if (hasLargePages && choices.oneIn(4)) return LARGE | (anyRights(choices) & ~LARGE);
  const accessed = choices.oneIn(10) ? 0 : 0x20;
  return M.LOW_TABLE | PRESENT_WRITABLE | USER | accessed;
}

/** Tables of two levels at M.DIRECTORY. @param hasLargePages CR4.PSE will be set. */
export function makePages(choices: Choices, memory: Memory, hasLargePages: boolean): void {
  memory.put32(M.DIRECTORY, firstEntry(choices, hasLargePages));
  memory.put32(M.DIRECTORY + 0xffc, M.HIGH_TABLE | PRESENT_WRITABLE | USER);
  for (let i = 1; i < 16; i++) memory.put32(M.DIRECTORY + i * 4, choices.word());
  for (let page = 0; page < 64; page++) {
    memory.put32(M.LOW_TABLE + page * 4, lowEntry(choices, page));
  }
  for (let i = 0; i < 8; i++) {
    const entry = choices.below(16) * 0x1000 + anyRights(choices);
    memory.put32(M.HIGH_TABLE + 0xffc - i * 4, entry);
  }
}

/** Tables of PAE paging; the pointers are at M.DIRECTORY, behind them the first directory. */
export function makePaePages(choices: Choices, memory: Memory): void {
  const high = (at: number): void => {
    memory.put32(at + 4, choices.oneIn(40) ? choices.word() : 0);
  };
  for (let i = 0; i < 4; i++) {
    const directory = i === 3 ? M.HIGH_DIRECTORY : M.POINTED_DIRECTORY;
    const isOdd = choices.oneIn(12);
    memory.put32(M.DIRECTORY + i * 8, isOdd ? choices.word() & ~0x1e6 : directory | 1);
    memory.put32(M.DIRECTORY + i * 8 + 4, 0);
  }
  memory.put32(M.POINTED_DIRECTORY, firstEntry(choices, true));
  for (let i = 1; i < 8; i++) {
    memory.put32(M.POINTED_DIRECTORY + i * 8, choices.word());
    high(M.POINTED_DIRECTORY + i * 8);
  }
  memory.put32(M.HIGH_DIRECTORY + 0xff8, M.HIGH_TABLE | PRESENT_WRITABLE | USER);
  for (let page = 0; page < 64; page++) {
    memory.put32(M.LOW_TABLE + page * 8, lowEntry(choices, page));
    high(M.LOW_TABLE + page * 8);
  }
  for (let i = 0; i < 8; i++) {
    const at = M.HIGH_TABLE + 0xff8 - i * 8;
    memory.put32(at, choices.below(16) * 0x1000 + anyRights(choices));
    high(at);
  }
}
