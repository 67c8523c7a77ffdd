# What is wrong with a TSS, a task gate or a back link, and faults of the new task.
# Intel SDM vol. 3A chapter 7; table 7-1.

        .include "tasks.inc"

        GATE_B = SPARE + 16
        X = SPARE + 24
        LOCAL = 0x0c

        .macro BAD_TASK name, field, selector, segment:vararg
        TEST "new task: \name"
        TASK_B user_task
        movl $USER_CS, tss_b + CS
        movl $USER_DS, tss_b + SS
        movl $user_stack_top, tss_b + ESP
        \segment
        movl $\selector, tss_b + \field
        GO
        movl $user_task, test_start
        ljmp $B, $0
89:
        .endm

# The busy bits: the type bytes of the descriptors of the main task and of B.

test_main:
# --- what is wrong with the TSS or the gate ---
        .irp how, ljmp, lcall
        TEST "\how: busy"
        GO
        \how $TSS_MAIN, $0
        END
        TEST "\how: absent TSS"
        SEGMENT X, $tss_b, $0x67, $0x09
        GO
        \how $X, $0
        END
        TEST "\how: absent TSS that is busy"
        SEGMENT X, $tss_b, $0x67, $0x0b
        GO
        \how $X, $0
        END
        TEST "\how: RPL above the DPL"
        TASK_B task_notes
        GO
        \how $B+3, $0
        END
        TEST "\how: a TSS in the LDT"
        movl $LDT_MAIN, %eax
        lldt %ax
        SEGMENT LOCAL, $tss_b, $0x67, $0x89
        GO
        \how $LOCAL, $0
        END
        TEST "\how: a TSS that is too short"
        SEGMENT X, $tss_b, $0x66, $0x89
        GO
        \how $X, $0
        END
        TEST "\how: a 16-bit TSS that is too short"
        SEGMENT X, $tss_b, $0x2a, $0x81
        GO
        \how $X, $0
        END
        TEST "\how: the busy bit after that"
        SEGMENT X, $tss_b, $0x66, $0x89
        NOTE gdt+X+4
        GO
        \how $X, $0
        END
        .endr
        .macro BAD_GATE name, target, segment:vararg
        TEST "task gate: \name"
        \segment
        GATE GATE_B, \target, 0, 0x85
        GO
        ljmp $GATE_B, $0
        END
        .endm
        BAD_GATE "busy TSS", TSS_MAIN
        BAD_GATE "null", 0
        BAD_GATE "in the LDT", LOCAL
        BAD_GATE "data", KERNEL_DS
        BAD_GATE "an LDT", LDT_MAIN
        BAD_GATE "beyond the GDT", GDT_BYTES
        BAD_GATE "absent TSS", X, SEGMENT X, $tss_b, $0x67, $0x09
        BAD_GATE "short TSS", X, SEGMENT X, $tss_b, $0x40, $0x89
        TEST "task gate: absent"
        GATE GATE_B, B, 0, 0x05
        GO
        ljmp $GATE_B, $0
        END
        TEST "int through a task gate: busy TSS"
        VECTOR 0x31, TSS_MAIN, 0, 0x85
        GO
        int $0x31
        END
        TEST "exception through a task gate: busy TSS"
        VECTOR 6, TSS_MAIN, 0, 0x85
        GO
        ud2
        END
        TEST "exception through a task gate: null"
        VECTOR 6, 0, 0, 0x85
        GO
        ud2
        END

# --- IRET with NT set ---
        .macro NESTED_IRET name, link, segment:vararg
        TEST "iretl of a nested task: \name"
        \segment
        movw $\link, tss
        GO
        pushl $0x4002
        popfl
        iretl
        END
        .endm
        NESTED_IRET "null link", 0
        NESTED_IRET "available TSS", B, TASK_B task_notes
        NESTED_IRET "an LDT", LDT_MAIN
        NESTED_IRET "data", KERNEL_DS
        NESTED_IRET "in the LDT", LOCAL
        NESTED_IRET "beyond the GDT", GDT_BYTES
        NESTED_IRET "absent", X, SEGMENT X, $tss_b, $0x67, $0x0b
        NESTED_IRET "too short", X, SEGMENT X, $tss_b, $0x66, $0x8b
        TEST "iretl of a nested task: to a busy TSS"
        TASK_B task_notes
        SEGMENT B, $tss_b, $0x67, $0x8b
        movw $B, tss
        GO
        pushl $0x4002
        popfl
        iretl
89:

# --- faults of the new task ---
        BAD_TASK "LDT: data", LDT, KERNEL_DS
        BAD_TASK "LDT: absent", LDT, X, SEGMENT X, $ldt, $0x7f, $0x02
        BAD_TASK "LDT: in the LDT", LDT, LOCAL
        BAD_TASK "LDT: beyond the GDT", LDT, GDT_BYTES
        BAD_TASK "CS: null", CS, 3
        BAD_TASK "CS: data", CS, USER_DS
        BAD_TASK "CS: DPL 0 by RPL 3", CS, KERNEL_CS+3
        BAD_TASK "CS: conforming, DPL 0 by RPL 3, SS of DPL 3", CS, X+3, SEGMENT X, $0, $0xfffff, $0xc09e
        BAD_TASK "CS: absent", CS, X+3, SEGMENT X, $0, $0xfffff, $0xc07a
        BAD_TASK "CS: beyond the GDT", CS, GDT_BYTES+3
        BAD_TASK "SS: null", SS, 0
        BAD_TASK "SS: RPL 0", SS, USER_DS-3
        BAD_TASK "SS: DPL 0", SS, KERNEL_DS+3
        BAD_TASK "SS: read-only", SS, X+3, SEGMENT X, $0, $0xfffff, $0xc0f0
        BAD_TASK "SS: absent", SS, X+3, SEGMENT X, $0, $0xfffff, $0xc072
        BAD_TASK "DS: DPL 0", DS, KERNEL_DS+3
        BAD_TASK "DS: execute-only", DS, X+3, SEGMENT X, $0, $0xfffff, $0xc0f8
        BAD_TASK "DS: absent", DS, X+3, SEGMENT X, $0, $0xfffff, $0xc072
        BAD_TASK "ES: a TSS", ES, TSS_MAIN
        BAD_TASK "FS: beyond the GDT", FS, GDT_BYTES
        BAD_TASK "GS: in an LDT that there isn't", GS, LOCAL
        BAD_TASK "nothing", GS, 0
        TEST "TR, busy bits and CR0.TS after a fault of the new task"
        TASK_B user_task
        movl $USER_CS, tss_b + CS
        movl $USER_DS, tss_b + SS
        movl $GDT_BYTES, tss_b + DS
        VECTOR 10, KERNEL_CS, note_fault_in_b, 0x8e
        GO
        ljmp $B, $0
89:
        ret

note_fault_in_b:
        movl $USER_DS, %eax
        movl %eax, %ds
        str %eax
        NOTE %eax
        NOTE_BUSY
        movl %cr0, %eax
        andl $8, %eax
        NOTE %eax
        jmp finish
