# R11: a loop whose only window is between the RET behind an STI and the next CLI.

        .include "race.inc"
        RACE "r11-sti-ret"

LABEL race
        movl passes, %ebp
LABEL race_begin
        nop
        .if RIGHT
LABEL pass
        cli
        nop                             # what must not be interrupted
        call open_window
LABEL window
        decl %ebp
        jnz pass
        .else
        .rept 4
        cli
        nop                             # what must not be interrupted
        sti                             # the same, inlined: with STI and CLI as neighbours
        .endr
        .endif
        cli
LABEL race_end
        cmpl $0, ticks
        jne 1f
        movb $0x0a, %al                 # OCW3: is one waiting?
        outb %al, $0x20
        inb $0x20, %al
        testb $1, %al
        jnz starved
1:      OK
LABEL starved
        BROKEN "IRQ 0 has waited through every pass"

LABEL open_window
        sti
LABEL open_window_ret
        ret

        GATE VECTOR_IRQ0, tick
LABEL tick
        pushl %eax
        EOI
        incl ticks
        popl %eax
        iretl

        .data
VARIABLE passes
        .long 4
VARIABLE ticks
        .long 0
