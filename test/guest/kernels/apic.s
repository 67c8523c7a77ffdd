# The local APIC, asked by a program: what firmware leaves, interrupts of the 8259s through LINT0, and
# what the processor sends to itself.

        .include "harness.inc"

        APIC = 0xfee00000
        TPR = APIC + 0x80
        PPR = APIC + 0xa0
        EOI = APIC + 0xb0
        LDR = APIC + 0xd0
        DFR = APIC + 0xe0
        SVR = APIC + 0xf0
        ISR = APIC + 0x100
        TMR = APIC + 0x180
        IRR = APIC + 0x200
        ICR = APIC + 0x300
        ICR_HIGH = APIC + 0x310
        LVT_TIMER = APIC + 0x320
        LVT_LINT0 = APIC + 0x350
        INITIAL_COUNT = APIC + 0x380
        CURRENT_COUNT = APIC + 0x390
        DIVIDE = APIC + 0x3e0

        SELF = 0x40000
        ALL = 0x80000
        OTHERS = 0xc0000
        NMI = 0x400
        LOGICAL = 0x800

        .macro SHOW text, register
        PRINT "\text "
        movl \register, %eax
        call print_digit
        PRINT "\n"
        .endm

# Prints which vectors came since the last time, in their order.
        .macro TAKEN text
        PRINT "\text"
        call print_taken
        .endm

        .macro OPEN
        sti
        nop
        nop
        nop
        cli
        .endm

        .macro HANDLER vector
entry_\vector:
        pushl $0x\vector
        jmp note_vector
        .endm

        .macro GATE vector
        movl $0x\vector, %eax
        movl $entry_\vector, %ebx
        movl $0x8e00, %edx
        call set_gate
        .endm

test_main:
        GATE 02
        GATE 20
        GATE 41
        GATE 45
        GATE 52
        GATE 61
        GATE 72
        GATE 80
        SHOW "version", APIC + 0x30
        SHOW "ID", APIC + 0x20
        SHOW "LDR", LDR
        SHOW "DFR", DFR
        SHOW "SVR", SVR
        PRINT "MSR "
        movl $0x1b, %ecx
        rdmsr
        call print_digit
        PRINT "\n"
        PRINT "CPUID "
        movl $1, %eax
        cpuid
        movl %edx, %eax
        andl $0x200, %eax
        call print_digit
        PRINT "\n"

        call pend
        OPEN
        TAKEN "8259 through LINT0:"
        movl $0x10700, LVT_LINT0
        call pend
        OPEN
        TAKEN "masked:"
        movl $0x700, LVT_LINT0
        OPEN
        TAKEN "open again:"
        movl $0x10000, LVT_LINT0

        movl $SELF | 0x41, ICR
        movl $SELF | 0x52, ICR
        movl $SELF | 0x45, ICR
        movl $SELF | 0x52, ICR
        SHOW "requested: IRR 40h", IRR + 0x20
        SHOW "ICR", ICR
        OPEN
        TAKEN "highest first:"
        SHOW "taken: IRR 40h", IRR + 0x20
        SHOW "ended: ISR 40h", ISR + 0x20

        movl $0x50, TPR
        SHOW "TPR 50h: PPR", PPR
        movl $SELF | 0x45, ICR
        movl $SELF | 0x52, ICR
        movl $SELF | 0x61, ICR
        OPEN
        TAKEN "above TPR alone:"
        sti
        movl $0x4f, TPR
        nop
        cli
        TAKEN "TPR 4Fh:"
        movl $0, TPR
        OPEN
        TAKEN "TPR 0:"

        movl $nesting, in_handler
        movl $SELF | 0x61, ICR
        OPEN
        TAKEN "nested above ISR alone:"
        movl $none, in_handler

        movl $0, ICR_HIGH
        movl $NMI, ICR
        TAKEN "NMI to ID 0:"
        movl $0x41, ICR
        OPEN
        TAKEN "vector to ID 0:"
        movl $0x07000000, ICR_HIGH
        movl $0x41, ICR
        OPEN
        TAKEN "to ID 7:"
        movl $0xff000000, ICR_HIGH
        movl $0x45, ICR
        OPEN
        TAKEN "to all IDs:"
        movl $ALL | 0x41, ICR
        movl $OTHERS | 0x45, ICR
        OPEN
        TAKEN "all, and all others:"
        movl $0x04000000, LDR
        movl $0x06000000, ICR_HIGH
        movl $LOGICAL | 0x41, ICR
        movl $0x02000000, ICR_HIGH
        movl $LOGICAL | 0x45, ICR
        OPEN
        TAKEN "flat: to 6, and to 2:"
        movl $0x0fffffff, DFR
        movl $0x32000000, LDR
        movl $0x33000000, ICR_HIGH
        movl $LOGICAL | 0x41, ICR
        movl $0x31000000, ICR_HIGH
        movl $LOGICAL | 0x45, ICR
        movl $0x22000000, ICR_HIGH
        movl $LOGICAL | 0x52, ICR
        OPEN
        TAKEN "clusters: to 33h, 31h, 22h:"
        movl $0xffffffff, DFR
        movl $0, ICR_HIGH

        movl $0xb, DIVIDE
        movl $0x80, LVT_TIMER
        movl $2000000, INITIAL_COUNT
        sti
        hlt
        cli
        TAKEN "one-shot:"
        SHOW "then: current count", CURRENT_COUNT
        SHOW "initial count", INITIAL_COUNT
        movl $0x20080, LVT_TIMER
        movl $2000000, INITIAL_COUNT
        sti
        hlt
        hlt
        hlt
        cli
        movl $0, INITIAL_COUNT
        TAKEN "periodic:"
        movl $0x10080, LVT_TIMER
        movl $100, INITIAL_COUNT
1:      cmpl $0, CURRENT_COUNT
        jne 1b
        movl $0x80, LVT_TIMER
        OPEN
        TAKEN "masked:"
        ret

# While 61h is in service: 45h is below it, 72h above.
nesting:
        movl $none, in_handler
        SHOW "in 61h: PPR", PPR
        movl $SELF | 0x45, ICR
        movl $SELF | 0x72, ICR
        SHOW "ISR 60h", ISR + 0x30
        SHOW "TMR 60h", TMR + 0x30
        OPEN
none:   ret

print_taken:
        xorl %ebx, %ebx
1:      cmpl taken, %ebx
        jae 2f
        PRINT " "
        movzbl vectors(%ebx), %eax
        call print_digit
        incl %ebx
        jmp 1b
2:      movl $0, taken
        PRINT "\n"
        ret

        HANDLER 02
        HANDLER 20
        HANDLER 41
        HANDLER 45
        HANDLER 52
        HANDLER 61
        HANDLER 72
        HANDLER 80

# The vector is on the stack.
note_vector:
        pushal
        movl 32(%esp), %eax
        movl taken, %ebx
        movb %al, vectors(%ebx)
        incl taken
        pushl %eax
        call *in_handler
        popl %eax
        cmpl $2, %eax
        je 2f
        cmpl $0x20, %eax
        jne 1f
        movb $0x20, %al
        outb %al, $0x20
        jmp 2f
1:      movl $0, EOI
2:      popal
        addl $4, %esp
        iretl

        .data
in_handler: .long none
taken:  .long 0
vectors: .fill 64, 1, 0
