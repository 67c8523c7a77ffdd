# R15: IRET to a 16-bit stack restores SP alone; the upper half of ESP stays the kernel's.

        .include "race.inc"
        RACE "r15-espfix"

        USER_SS16 = 0x43                # SPARE_SELECTOR at CPL 3
        ESPFIX_SS = 0x48                # the descriptor behind it, for CPL 0
        USER_ESP = 0x5a5a8000

LABEL race
        movl $0x0000ffff, gdt_spare     # base 0, 64 KiB, 16 bits, for CPL 3
        movl $0x0000f200, gdt_spare + 4
        movl $0x0000ffff, gdt_spare + 8 # base to be filled in, 4 GiB, 32 bits
        movl $0x00cf9200, gdt_spare + 12
        PUSH_USER_FRAME user, USER_ESP, USER_CS, USER_SS16
        iretl

LABEL user
        nop
LABEL race_begin
        nop
        movl $USER_ESP, %esp
LABEL user_on16
        nop
        nop
LABEL user_check
        movl %esp, %eax
LABEL user_checked
        nop
LABEL race_end
        cmpl $USER_ESP, %eax
        jne leak
        OK
LABEL leak
        BROKEN "user mode sees the upper half of the kernel's ESP"

        GATE VECTOR_IRQ0, tick
LABEL tick
        pushl %eax
        EOI
        .if RIGHT
        pushl %edx
        pushl %ds
        movl $USER_DS, %eax
        movl %eax, %ds
        # EIP, CS, EFLAGS, ESP, SS lie behind the three that were pushed.
        cmpl $USER_SS16, 28(%esp)
        jne 1f
        # A stack segment of 32 bits at which ESP with the user's upper half is where the stack is.
        movl 24(%esp), %edx
        movw %sp, %dx
        movl %esp, %eax
        subl %edx, %eax                 # the base: its lower half is 0
        shrl $16, %eax
        movb %al, gdt_spare + 12
        movb %ah, gdt_spare + 15
        pushl $ESPFIX_SS
        pushl %edx
        lssl (%esp), %esp
1:      popl %ds
        popl %edx
        .endif
        popl %eax
LABEL tick_iret
        iretl
