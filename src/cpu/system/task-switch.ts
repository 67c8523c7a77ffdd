/**
 * Task switches: by JMP, by CALL or an interrupt (nested), and by IRET out of a nested task.
 *
 * What can be checked is checked while the old task is still the present one. What the manual has
 * checked afterwards (the new task's segments) faults in the new task, whose EIP and ESP are then in
 * place, and whose segment registers that were not reached yet hold selectors that can't be used.
 *
 * Source: Intel SDM vol. 3A §7.3 and §7.4.
 */
import { CR0_PG, CR0_TS, DR6_BT, DR7_LOCAL } from '../control-registers.js';
import type { Core } from '../core.js';
import {
  Descriptor,
  isCode,
  isConformingCode,
  isNullSelector,
  markAccessed,
  readDescriptor,
  SELECTOR_RPL,
  SELECTOR_TI,
  setBusy,
  TYPE_32,
  TYPE_BUSY,
  TYPE_LDT,
} from '../descriptors.js';
import { EFLAGS_NT, EFLAGS_VM } from '../eflags.js';
import { raise, VECTOR_GP, VECTOR_NP, VECTOR_TS } from '../fault.js';
import {
  checkPageDirectoryPointers,
  loadPageDirectoryPointers,
  usesPae,
} from '../page-directory-pointers.js';
import {
  checkDataSegment,
  checkStackSegment,
  setCpl,
  setNullSegment,
  setRealSegment,
  setSegment,
  setSegmentFrom,
} from '../segmentation.js';
import type { SegmentIndex, State } from '../state.js';
import * as L from '../state-layout.js';
import { EFLAGS_ALL, loadEflags } from './eflags-load.js';
import { probeSaveTask, readTask, saveTask, TaskState, taskLayout } from './task-state.js';

/** `call` nests: by CALL and through the IDT. `return` is the IRET that ends it. */
export type TaskSwitchCause = 'jump' | 'call' | 'return';

const incoming = new TaskState();
const old = new Descriptor();
const segment = new Descriptor();

/**
 * Switches to a task.
 * @param target a present TSS, available, or busy for a `return`.
 * @param eip where the old task will go on.
 * @param eflags the image of EFLAGS that the old task keeps.
 * @param external EXT bit of the error codes.
 * @throws fault #TS, #PF or #GP (page-directory pointers) with nothing changed, or, in the new task, #TS, #NP, #SS, #GP or #PF.
 */
export function switchTask(
  core: Core,
  target: Descriptor,
  cause: TaskSwitchCause,
  eip: number,
  eflags: number,
  external: number,
): void {
  const { state, mmu } = core;
  const is32 = (target.type & TYPE_32) !== 0;
  const wasOld32 = (state.segmentAccess(L.SEG_TR) & TYPE_32) !== 0;
  const oldSelector = state.selector(L.SEG_TR);
  const oldBase = state.segmentBase(L.SEG_TR);
  checkLimit(target.limit, is32, target.selector, external);
  checkLimit(state.segmentLimit(L.SEG_TR), wasOld32, oldSelector, external);
  readTask(core, incoming, target.base, is32);
  probeSaveTask(core, oldBase, wasOld32);
  readDescriptor(core, old, oldSelector, VECTOR_TS, external);
  if (cause !== 'call') mmu.probeWrite((old.address + 5) | 0, 1, false);
  if (cause !== 'return') mmu.probeWrite((target.address + 5) | 0, 1, false);
  if (cause === 'call') mmu.probeWrite(target.base, 2, false);
  if (changesTables(state) && usesPae(state.cr0, state.cr4)) {
    checkPageDirectoryPointers(core, incoming.cr3);
  }

  const isReturn = cause === 'return';
  const change = { incoming, base: target.base, is32, isReturn, eip, eflags };
  core.interceptor?.switchTask(change);
  saveTask(core, oldBase, wasOld32, change.eip, change.eflags);
  if (cause !== 'call') setBusy(core, old, false);
  if (cause !== 'return') setBusy(core, target, true);
  if (cause === 'call') mmu.write(target.base, 2, oldSelector, false);
  const access = target.access | TYPE_BUSY;
  setSegment(core, L.SEG_TR, target.selector, target.base, target.limit, access);
  loadRegisters(core, cause);
  loadSegments(core, external);
  if (state.eip >>> 0 > state.segmentLimit(L.SEG_CS) >>> 0) raise(VECTOR_GP, external);
  if (incoming.hasTrap) {
    state.set(L.PENDING_DEBUG, state.get(L.PENDING_DEBUG) | DR6_BT);
    core.attention();
  }
}

/** The incoming task has page tables of its own. */
function changesTables(state: State): boolean {
  return (state.cr0 & CR0_PG) !== 0 && incoming.cr3 !== state.get(L.CR3);
}

function checkLimit(limit: number, is32: boolean, selector: number, external: number): void {
  if (limit >>> 0 < taskLayout(is32).lowestLimit) raise(VECTOR_TS, (selector & 0xfffc) | external);
}

/** Loads all of the new task but the hidden parts of its segment registers. */
function loadRegisters(core: Core, cause: TaskSwitchCause): void {
  const { state } = core;
  state.set(L.CR0, state.cr0 | CR0_TS);
  state.set(L.DR7, state.get(L.DR7) & ~DR7_LOCAL);
  if (changesTables(state)) {
    if (usesPae(state.cr0, state.cr4)) loadPageDirectoryPointers(core, incoming.cr3);
    state.set(L.CR3, incoming.cr3);
    core.mmu.flush();
  }
  for (let i = 0; i < 8; i++) state.setReg32(i, incoming.registers[i]);
  state.eip = incoming.eip;
  const { selectors } = incoming;
  for (let i = L.SEG_ES; i <= L.SEG_GS; i++) setNullSegment(core, i as SegmentIndex, selectors[i]);
  setNullSegment(core, L.SEG_LDTR, incoming.ldt);
  loadEflags(core, cause === 'call' ? incoming.eflags | EFLAGS_NT : incoming.eflags, EFLAGS_ALL);
  const isVirtual8086 = (incoming.eflags & EFLAGS_VM) !== 0;
  setCpl(core, isVirtual8086 ? 3 : incoming.selectors[L.SEG_CS] & SELECTOR_RPL);
}

function loadSegments(core: Core, external: number): void {
  const { selectors } = incoming;
  loadLdt(core, incoming.ldt, external);
  if (incoming.eflags & EFLAGS_VM) {
    for (let i = L.SEG_ES; i <= L.SEG_GS; i++) {
      setRealSegment(core, i as SegmentIndex, selectors[i]);
    }
    return;
  }
  loadCode(core, selectors[L.SEG_CS], external);
  checkStackSegment(core, segment, selectors[L.SEG_SS], core.state.cpl, VECTOR_TS, external);
  finish(core, L.SEG_SS);
  loadData(core, L.SEG_DS, external);
  loadData(core, L.SEG_ES, external);
  loadData(core, L.SEG_FS, external);
  loadData(core, L.SEG_GS, external);
}

function loadLdt(core: Core, selector: number, external: number): void {
  if (isNullSelector(selector)) return;
  const errorCode = (selector & 0xfffc) | external;
  if (selector & SELECTOR_TI) raise(VECTOR_TS, errorCode);
  readDescriptor(core, segment, selector, VECTOR_TS, external);
  if (!segment.isSystem || segment.type !== TYPE_LDT || !segment.isPresent) {
    raise(VECTOR_TS, errorCode);
  }
  setSegmentFrom(core, L.SEG_LDTR, selector, segment);
}

function loadCode(core: Core, selector: number, external: number): void {
  const errorCode = (selector & 0xfffc) | external;
  if (isNullSelector(selector)) raise(VECTOR_TS, errorCode);
  readDescriptor(core, segment, selector, VECTOR_TS, external);
  const rpl = selector & SELECTOR_RPL;
  const { access, dpl } = segment;
  if (!isCode(access) || (isConformingCode(access) ? dpl > rpl : dpl !== rpl)) {
    raise(VECTOR_TS, errorCode);
  }
  if (!segment.isPresent) raise(VECTOR_NP, errorCode);
  finish(core, L.SEG_CS);
}

function loadData(core: Core, index: SegmentIndex, external: number): void {
  const selector = incoming.selectors[index];
  if (isNullSelector(selector)) return;
  checkDataSegment(core, segment, selector, core.state.cpl, VECTOR_TS, external);
  finish(core, index);
}

function finish(core: Core, index: SegmentIndex): void {
  markAccessed(core, segment);
  setSegmentFrom(core, index, segment.selector, segment);
}
