/**
 * Breaks each rule of interrupt windows once, in a copy of the sources, and requires that a test of
 * test/cpu/interrupt-windows.test.ts fails for it. `npm run test:mutants`; exits with 1 when a broken
 * rule goes unnoticed.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Mutant {
  readonly breaks: string;
  readonly file: string;
  /** Found exactly once in the file. */
  readonly text: string;
  readonly instead: string;
}

const CPU = 'src/cpu/cpu.ts';
const FLAGS = 'src/cpu/system/flags-instructions.ts';
const SEGMENTS = 'src/cpu/system/segment-moves.ts';

const MUTANTS: readonly Mutant[] = [
  {
    breaks: 'STI holds an interrupt off for one instruction',
    file: FLAGS,
    text: 'state.set(SHADOW, SHADOW_STI)',
    instead: 'state.set(SHADOW, 0)',
  },
  {
    breaks: 'STI holds off only if IF was 0',
    file: FLAGS,
    text: 'if ((flags & EFLAGS_IF) !== 0) return;',
    instead: '',
  },
  {
    breaks: 'the shadow lasts one instruction',
    file: CPU,
    text: 'state.set(L.SHADOW, L.SHADOW_NONE);',
    instead: '',
  },
  {
    breaks: 'an interrupt is held off in the shadow of STI',
    file: CPU,
    text: 'shadow === L.SHADOW_NONE &&',
    instead: '',
  },
  {
    breaks: 'the shadow of STI does not hold off debug traps and NMI',
    file: CPU,
    text: 'if (shadow !== L.SHADOW_MOV_SS) {',
    instead: 'if (shadow === L.SHADOW_NONE) {',
  },
  {
    breaks: 'MOV SS holds off interrupts, NMI and debug traps',
    file: CPU,
    text: 'if (shadow !== L.SHADOW_MOV_SS) {',
    instead: 'if (shadow !== 99) {',
  },
  {
    breaks: 'no single-step trap between MOV SS and the next instruction',
    file: CPU,
    text: 'if (state.get(L.SHADOW) === L.SHADOW_MOV_SS) return;',
    instead: '',
  },
  {
    breaks: 'MOV SS and POP SS cast a shadow',
    file: SEGMENTS,
    text: 'state.set(SHADOW, SHADOW_MOV_SS)',
    instead: 'state.set(SHADOW, 0)',
  },
  {
    breaks: 'a second MOV SS in a row does not extend the shadow',
    file: SEGMENTS,
    text: 'if (renews || core.previousShadow !== SHADOW_MOV_SS) core.state.set',
    instead: 'core.state.set',
  },
  {
    breaks: 'LSS casts no shadow',
    file: SEGMENTS,
    text: 'function loadFarPointer(segment: SegmentIndex): Procedure {\n  return (core, insn) => {',
    instead:
      'function loadFarPointer(segment: SegmentIndex): Procedure {\n  return (core, insn) => {\n    castStackShadow(core);',
  },
  {
    breaks: 'POPF has no shadow',
    file: FLAGS,
    text: 'loadEflags(core, image, mask);',
    instead: 'loadEflags(core, image, mask);\n  core.state.set(SHADOW, SHADOW_STI);',
  },
  {
    breaks: 'IRET has no shadow',
    file: 'src/cpu/system/iret.ts',
    text: 'export function iret(core: Core, insn: Instruction): void {',
    instead:
      'export function iret(core: Core, insn: Instruction): void {\n  core.state.set(L.SHADOW, L.SHADOW_STI);',
  },
  {
    breaks: 'HLT ends with EIP after it',
    file: FLAGS,
    text: 'core.state.set(HALTED, 1);',
    instead: 'core.state.set(HALTED, 1);\n  core.state.eip -= 1;',
  },
  {
    breaks: 'HLT with IF clear is not woken by an interrupt',
    file: CPU,
    text: 'state.get(L.INTR) !== 0 &&\n        (state.get(L.FLAG_SYSTEM) & EFLAGS_IF) !== 0',
    instead:
      'state.get(L.INTR) !== 0 &&\n        ((state.get(L.FLAG_SYSTEM) & EFLAGS_IF) !== 0 || state.get(L.HALTED) !== 0)',
  },
  {
    breaks: 'SYSEXIT is executed inside the shadow of STI',
    file: 'src/cpu/cpu.ts',
    text: 'shadow === L.SHADOW_NONE &&',
    instead: '(shadow === L.SHADOW_NONE || state.reg32(2) === 0x20100) &&',
  },
  {
    breaks: 'NMI is blocked until IRET',
    file: 'src/cpu/system/delivery.ts',
    text: "if (kind === 'nmi') state.set(L.NMI_BLOCKED, 1);",
    instead: '',
  },
  {
    breaks: 'IRET opens the way for NMI',
    file: 'src/cpu/system/iret.ts',
    text: 'state.set(L.NMI_BLOCKED, 0);',
    instead: '',
  },
];

function escapes(copy: string, mutant: Mutant): boolean {
  const path = join(copy, mutant.file);
  const source = readFileSync(path, 'utf8');
  if (source.split(mutant.text).length !== 2) {
    throw new Error(`${mutant.file} does not have exactly one: ${mutant.text}`);
  }
  writeFileSync(path, source.replace(mutant.text, mutant.instead));
  const run = spawnSync(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', 'test/cpu/interrupt-windows.test.ts'],
    { cwd: copy, encoding: 'utf8' },
  );
  writeFileSync(path, source);
  return run.status === 0;
}

const copy = mkdtempSync(join(tmpdir(), 'holdoff-mutants-'));
try {
  for (const part of ['src', 'test', 'package.json', 'vitest.config.ts', 'tsconfig.json']) {
    cpSync(part, join(copy, part), { recursive: true });
  }
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'));
  let escaped = 0;
  for (const mutant of MUTANTS) {
    const isUnnoticed = escapes(copy, mutant);
    if (isUnnoticed) escaped += 1;
    console.log(`${isUnnoticed ? 'UNNOTICED' : 'noticed  '} ${mutant.breaks}`);
  }
  console.log(`${MUTANTS.length - escaped} passed, ${escaped} failed`);
  if (escaped > 0) process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
