# The guest "window": two tasks, one timer, and every way into and out of a kernel that matters to
# interrupt windows. README.md is the guide; this file only says what belongs to it.
#
#   as --32 [--defsym STI_SYSEXIT_PADDING=4] [--defsym ROUNDS=N] [--defsym HZ=N] -o window.o window.s

        .include "layout.inc"
        .include "mach_asm.inc"

        .include "boot.s"
        .include "rom.s"
        .include "entry.s"
        .include "traps.s"
        .include "sched.s"
        .include "syscalls.s"
        .include "console.s"
        .include "user.s"

        .section .note.GNU-stack, "", @progbits
