# R11: a loop whose only window is between the RET behind an STI and the next CLI.

        .include "race.inc"
        RACE "r11-sti-ret"

        PASSES = 4

LABEL race
        nop
LABEL race_begin
        nop
        .rept PASSES
        cli
        nop                             # what must not be interrupted
        .if RIGHT
        call open_window
        .else
        sti                             # the same, inlined
        .endif
        .endr
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
VARIABLE ticks
        .long 0
