# Which instruction an interrupt can be taken before, on the way to user mode, and whether MOV SS and
# POP SS hold one off that arrives while they execute.

        .include "harness.inc"

test_main:
        movl $0x174, %ecx
        movl $KERNEL_CS, %eax
        xorl %edx, %edx
        wrmsr

        movl $1f, back_eip
        movl %esp, back_esp
        CASE "sti; sysexit"
        movl $sysexit_target, %edx
        movl $user_stack_top, %ecx
        movl $sysexit_target, case_start
        sti
        sysexit
sysexit_target:
        nop
        int $0x80
1:      END_CASE

        movl $1f, back_eip
        movl %esp, back_esp
        CASE "sti; nop; sysexit"
        movl $sysexit_target, %edx
        movl $user_stack_top, %ecx
        movl $padded_sysexit, case_start
padded_sysexit:
        sti
        nop
        sysexit
        nop
1:      END_CASE

        movl $1f, back_eip
        movl %esp, back_esp
        CASE "iret to user mode"
        pushl $USER_DS
        pushl $user_stack_top
        pushl $EFLAGS_IF | 2
        pushl $USER_CS
        pushl $iret_target
        movl $iret_target, case_start
        iretl
iret_target:
        nop
        int $0x80
1:      END_CASE

        movl $1f, back_eip
        movl %esp, back_esp
        CASE "sti; iret to user mode"
        pushl $USER_DS
        pushl $user_stack_top
        pushl $EFLAGS_IF | 2
        pushl $USER_CS
        pushl $sti_iret_target
        movl $sti_iret_target, case_start
        sti
        iretl
sti_iret_target:
        nop
        int $0x80
1:      END_CASE

        # The timer comes at any place of a loop. The instruction behind MOV SS and POP SS is the one
        # place where it may not be found.
        PRINT "mov ss in a loop, timer running: "
        movb $0x34, %al                 # channel 0, mode 2
        outb %al, $0x43
        movb $199, %al                  # odd, so as not to fall into step with the loop
        outb %al, $0x40
        xorb %al, %al
        outb %al, $0x40
        movl $0, irq_count
        movl $0, shadow_hits
        movl $0x20, %eax
        movl $loop_irq_entry, %ebx
        movl $0x8e00, %edx
        call set_gate
        movl %ss, %eax
        sti
2:      pushl %ss
        movl %eax, %ss
shadow_of_mov:
        nop
        popl %ss
shadow_of_pop:
        nop
        cmpl $200, irq_count
        jb 2b
        cli
        movl shadow_hits, %eax
        call print_digit
        PRINT " in the shadow\n"
        ret

loop_irq_entry:
        pushl %eax
        incl irq_count
        cmpl $shadow_of_mov, 4(%esp)
        je 1f
        cmpl $shadow_of_pop, 4(%esp)
        jne 2f
1:      incl shadow_hits
2:      movb $0x20, %al
        outb %al, $0x20
        popl %eax
        iretl

        .data
shadow_hits: .long 0
