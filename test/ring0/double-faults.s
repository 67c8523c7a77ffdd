# Faults on the way to the handler of a fault. Intel SDM vol. 3A §6.15, "Interrupt 8".

        .include "paging.inc"

        B = SPARE
        X = SPARE + 8                   # absent, whatever it is
        Y = SPARE + 16                  # a TSS that is too short
        Z = SPARE + 24                  # an absent stack
        CODE1 = SPARE + 48
        DATA1 = SPARE + 56

# The exception called name, its gate being sound but for one thing.
        .macro FIRST name, vector, code:vararg
        .irp flaw, absent, mistyped, "of absent code", "of data"
        PAGED "\name, its gate is \flaw"
        SEGMENT X, $0, $0xff, $0xc01a
        SEGMENT Y, $tss, $0x10, $0x89
        SEGMENT Z, $0, $0xff, $0xc012
        ENTRIES ALL, 0, ALL
        .ifc "\flaw", "absent"
        VECTOR \vector, KERNEL_CS, finish, 0x0e
        .endif
        .ifc "\flaw", "mistyped"
        VECTOR \vector, KERNEL_CS, finish, 0x8c
        .endif
        .ifc "\flaw", "of absent code"
        VECTOR \vector, X, finish, 0x8e
        .endif
        .ifc "\flaw", "of data"
        VECTOR \vector, KERNEL_DS, finish, 0x8e
        .endif
        movl $X, %eax
        movl $TSS_MAIN, %ecx
        movl $Z, %edx
        xorl %ebx, %ebx
        GO
        \code
        END
        .endr
        .endm

# The same with gates of its own page: split is the first gate of the second page.
        .macro GATE_PAGE name, split, first, second, code:vararg
        PAGED "\name"
        movl $\split, %ebx
        call move_idt
        ENTRIES ALL, \first, \second
        movl $TSS_MAIN, %eax
        GO
        \code
        END
        .endm

test_main:
        FIRST "#DE", 0, divl %ebx
        FIRST "#UD", 6, ud2
        FIRST "int3", 3, int3
        FIRST "#TS", 10, ljmp $Y, $0
        FIRST "#NP", 11, movl %eax, %ds
        FIRST "#SS", 12, movl %edx, %ss
        FIRST "#GP", 13, movl %ecx, %ds
        FIRST "#PF", 14, movl L, %eax
        GATE_PAGE "#UD, its gate is in no page", 8, 0, ALL, ud2
        GATE_PAGE "#GP, its gate is in no page", 14, 0, ALL, movl %eax, %ds
        GATE_PAGE "#PF, its gate is in no page", 9, ALL, 0, movl L+0x1800, %eax
        GATE_PAGE "#GP, its gate and that of #PF are in no page", 9, ALL, 0, movl %eax, %ds
        PAGED "CPL 3, #GP whose handler's stack is in no page"
        LEVEL1
        movl $L + 0x1000, tss + 12
        VECTOR 13, CODE1, finish, 0x8e
        ENTRIES ALL, 0, ALL
        USER
        hlt
        USER_END
        PAGED "CPL 3, #PF whose handler's stack is in no page"
        LEVEL1
        movl $L + 0x1000, tss + 12
        VECTOR 14, CODE1, finish, 0x8e
        ENTRIES ALL, 0, ALL
        USER
        movl L, %eax
        USER_END
        PAGED "CPL 3, #PF whose handler's stack is absent"
        LEVEL1
        SEGMENT DATA1, $0, $0xfffff, $0xc032
        VECTOR 14, CODE1, finish, 0x8e
        ENTRIES ALL, 0, ALL
        USER
        movl L, %eax
        USER_END
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
