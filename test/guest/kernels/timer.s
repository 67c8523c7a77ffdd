# The PIC and the timer seen by a program that polls them with interrupts closed.

        .include "harness.inc"

        .macro SHOW text, command, port=0x20
        PRINT "\text "
        movb $\command, %al
        outb %al, $\port
        inb $\port, %al
        movzbl %al, %eax
        call print_digit
        PRINT "\n"
        .endm

test_main:
        # One shot while interrupts are closed: the request waits in IRR.
        call pend
        SHOW "pending: IRR", 0x0a
        SHOW "pending: ISR", 0x0b
        # Status by read-back, without bit 6, which says whether the count has been loaded yet.
        PRINT "mode 0 after its end: status "
        movb $0xe2, %al
        outb %al, $0x43
        inb $0x40, %al
        andl $0xbf, %eax
        call print_digit
        PRINT "\n"

        movl $0x20, %eax
        movl $irq0_polling_entry, %ebx
        movl $0x8e00, %edx
        call set_gate
        sti
        nop
        cli
        SHOW "after EOI: IRR", 0x0a
        SHOW "after EOI: ISR", 0x0b

        # A masked request waits too.
        movb $0xff, %al
        outb %al, $0x21
        call pend
        PRINT "masked: "
        movl $0, irq_count
        sti
        nop
        nop
        cli
        movl irq_count, %eax
        call print_digit
        PRINT " taken\n"
        movb $0xfe, %al
        outb %al, $0x21
        PRINT "unmasked: "
        sti
        nop
        nop
        cli
        movl irq_count, %eax
        call print_digit
        PRINT " taken\n"

        # Polling takes the place of the processor's acknowledge.
        call pend
        SHOW "poll:", 0x0c
        SHOW "polled: IRR", 0x0a
        SHOW "polled: ISR", 0x0b
        movb $0x60, %al                 # OCW2: specific EOI of IRQ 0
        outb %al, $0x20
        SHOW "specific EOI: ISR", 0x0b
        PRINT "poll with nothing there: "
        movb $0x0c, %al
        outb %al, $0x20
        inb $0x20, %al
        andl $0x80, %eax                # without it the rest means nothing
        call print_digit
        PRINT "\n"

        # HLT waits until the one shot comes, then goes on behind itself.
        movl $0x20, %eax
        movl $irq0_entry, %ebx
        movl $0x8e00, %edx
        call set_gate
        movl $0, irq_count
        movl $2f, case_start
        call one_shot
        sti
2:      hlt
        cli
        PRINT "hlt waits: "
        movl irq_count, %eax
        call print_digit
        PRINT " taken at +"
        movl irq_eip, %eax
        subl case_start, %eax
        call print_digit
        PRINT "\n"
        ret

irq0_polling_entry:
        pushal
        incl irq_count
        SHOW "in the handler: IRR", 0x0a
        SHOW "in the handler: ISR", 0x0b
        movb $0x20, %al
        outb %al, $0x20
        popal
        iretl
