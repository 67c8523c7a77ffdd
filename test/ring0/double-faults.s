# Faults on the way to the handler of a fault. Intel SDM vol. 3A §6.15, "Interrupt 8".

        .include "ring0.inc"

        B = SPARE
        A = SPARE + 8
        CODE1 = SPARE + 48

test_main:
        TEST "#GP through an absent gate"
        VECTOR 13, KERNEL_CS, finish, 0x0e
        movl $TSS_MAIN, %eax
        GO
        movl %eax, %ds
        END
        TEST "#DE through an absent gate"
        VECTOR 0, KERNEL_CS, finish, 0x0e
        xorl %ebx, %ebx
        GO
        divl %ebx
        END
        TEST "#UD through an absent gate is #NP"
        VECTOR 6, KERNEL_CS, finish, 0x0e
        GO
        ud2
        END
        TEST "#NP through a gate whose code is absent"
        SEGMENT A, $0, $0xfffff, $0xc01a
        VECTOR 11, A, finish, 0x8e
        movl $A, %eax
        GO
        movl %eax, %ds
        END
        TEST "CPL 3, #GP whose handler has no stack"
        SEGMENT CODE1, $0, $0xfffff, $0xc0ba
        VECTOR 13, CODE1, finish, 0x8e
        USER
        hlt
        USER_END
        TEST "through a task gate: error code, ESP, EIP saved"
        call set_up_b
        VECTOR 8, B, 0, 0x85
        VECTOR 13, KERNEL_CS, finish, 0x0e
        movl $TSS_MAIN, %eax
        GO
        movl %eax, %ds
        END
        ret

set_up_b:
        movl $tss_b, %edi
        movl $26, %ecx
        xorl %eax, %eax
        rep stosl
        movl $double_fault, tss_b + 0x20
        movl $2, tss_b + 0x24
        movl $task_stack_top, tss_b + 0x38
        movl $USER_DS, tss_b + 0x48
        movl $KERNEL_CS, tss_b + 0x4c
        movl $KERNEL_DS, tss_b + 0x50
        movl $USER_DS, tss_b + 0x54
        SEGMENT B, $tss_b, $0x67, $0x89
        ret

double_fault:
        popl %eax
        NOTE %eax
        movl %esp, %eax
        subl $task_stack_top, %eax
        NOTE %eax
        movl tss + 0x20, %eax
        subl test_start, %eax
        NOTE %eax
        jmp finish

        .bss
        .balign 128
tss_b:  .space 128
        .space 4096
task_stack_top:
        .text
