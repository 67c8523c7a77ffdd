# Task switches: by JMP, CALL, INT, exceptions and IRET, through TSS descriptors and task gates.
# Intel SDM vol. 3A chapter 7.

        .include "ring0.inc"

        B = SPARE                       # the other task's TSS
        C = SPARE + 8                   # one of 16 bits
        GATE_B = SPARE + 16
        X = SPARE + 24
        Y = SPARE + 32
        CODE16 = SPARE + 40
        LOCAL = 0x0c

        EIP = 0x20                      # in a TSS
        EFLAGS = 0x24
        EAX = 0x28
        ESP = 0x38
        EDI = 0x44
        ES = 0x48
        CS = 0x4c
        SS = 0x50
        DS = 0x54
        FS = 0x58
        GS = 0x5c
        LDT = 0x60
        TRAP = 0x64

# Task B at CPL 0.
        .macro TASK_B entry
        movl $\entry, %eax
        call set_up_b
        .endm

# Task B at CPL 3, with one thing wrong: what its segments are loaded from is checked in the new task,
# and the handler at CPL 0 has the stack that its TSS names.
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
        .macro NOTE_BUSY
        movzbl gdt + TSS_MAIN + 5, %eax
        NOTE %eax
        movzbl gdt + B + 5, %eax
        NOTE %eax
        .endm

test_main:
        TEST "jump: TR, EFLAGS, CR0.TS, busy bits, back link"
        TASK_B task_notes
        GO
        ljmp $B, $0
89:
        TEST "jump: EAX, EDI, ES, CS, SS, FS loaded"
        TASK_B task_registers
        GO
        ljmp $B, $0
89:
        TEST "jump: EIP, EFLAGS, EAX, ESP, ES, CS, SS, GS saved"
        TASK_B task_saved
        movl $0x12345678, %eax
        movl $USER_DS, %ebx
        movl %ebx, %gs
        GO
        stc
        ljmp $B, $0
89:
        TEST "call: TR, EFLAGS, CR0.TS, busy bits, back link"
        TASK_B task_notes
        GO
        lcall $B, $0
89:
        TEST "call and iret: TR, EFLAGS, busy bits, and B's EIP and EFLAGS"
        TASK_B task_returns
        GO
        lcall $B, $0
        pushfl
        popl %ebx
        str %eax
        NOTE %eax
        NOTE %ebx
        NOTE_BUSY
        movl tss_b + EIP, %eax
        subl $task_returns, %eax
        NOTE %eax
        NOTE tss_b+EFLAGS
        END
        TEST "int through a task gate: the same in B, and after IRET"
        TASK_B task_notes_and_returns
        VECTOR 0x31, B, 0, 0x85
        GO
        int $0x31
        str %eax
        NOTE %eax
        NOTE_BUSY
        END
        TEST "jump through a task gate"
        TASK_B task_notes
        GATE GATE_B, B, 0, 0x85
        GO
        ljmp $GATE_B, $0
89:
        TEST "call through a task gate in the LDT"
        TASK_B task_notes
        movl $LDT_MAIN, %eax
        lldt %ax
        GATE LOCAL, B, 0, 0x85
        GO
        lcall $LOCAL, $0
89:
        TEST "CPL 3, call through a task gate of DPL 3 to a TSS of DPL 0"
        TASK_B task_returns
        GATE GATE_B, B, 0, 0xe5
        USER
        lcall $GATE_B, $0
        movl %cs, %eax
        NOTE %eax
        USER_END
        TEST "CPL 3, call to a TSS of DPL 0"
        TASK_B task_returns
        USER
        lcall $B, $0
        USER_END
        TEST "CPL 3, call through a task gate of DPL 0"
        TASK_B task_returns
        GATE GATE_B, B, 0, 0x85
        USER
        lcall $GATE_B, $0
        USER_END
        TEST "CPL 3, jump to a TSS of DPL 3"
        TASK_B task_notes
        SEGMENT B, $tss_b, $0x67, $0xe9
        USER
        ljmp $B, $0
89:
        TEST "CPL 3, int through a task gate of DPL 0"
        TASK_B task_returns
        VECTOR 0x31, B, 0, 0x85
        USER
        int $0x31
        USER_END
        TEST "exception with an error code: it, and the EIP and EFLAGS saved"
        TASK_B task_exception
        VECTOR 13, B, 0, 0x85
        movl $TSS_MAIN, %eax
        GO
        movl %eax, %ds
        END
        TEST "exception without an error code: B's ESP, the EIP and EFLAGS saved"
        TASK_B task_trap
        VECTOR 6, B, 0, 0x85
        GO
        ud2
        END
        TEST "int with an exception's vector pushes no error code"
        TASK_B task_trap
        VECTOR 13, B, 0, 0x85
        GO
        int $13
        END
        TEST "int3: the EIP and EFLAGS saved"
        TASK_B task_trap
        VECTOR 3, B, 0, 0x85
        GO
        int3
        END
        TEST "jump keeps NT of the new task's image"
        TASK_B task_notes
        movl $0x4002, tss_b + EFLAGS
        GO
        ljmp $B, $0
89:
        TEST "the LDT of the new task, and a segment in it"
        TASK_B task_ldt
        movl $LDT_MAIN, tss_b + LDT
        SEGMENT LOCAL, $0, $0xfffff, $0xc092
        movl $LOCAL, tss_b + FS
        GO
        ljmp $B, $0
89:
        TEST "the T bit: #DB before the first instruction, DR6"
        TASK_B user_task
        movw $1, tss_b + TRAP
        VECTOR 1, KERNEL_CS, note_debug, 0x8e
        GO
        movl $user_task, test_start
        ljmp $B, $0
89:
        TEST "local breakpoints are disabled, global ones stay: DR7"
        TASK_B task_debug
        movl $0x70000000, %eax
        movl %eax, %dr0
        movl %eax, %dr1
        movl $0x000001bb + 0x400, %eax  # L0 G0 G1 L2 G2 G3 LE
        movl %eax, %dr7
        GO
        ljmp $B, $0
89:

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

# --- 16 bits ---
        TEST "to a 16-bit TSS: AX, DI, FLAGS, CS, SS, back link, and the main task's EAX after IRET"
        call set_up_c
        movl $0x12345678, %eax
        GO
        lcall $C, $0
        NOTE %eax
        movzwl tss_c + 0x0e, %eax
        NOTE %eax
        movzbl gdt + C + 5, %eax
        NOTE %eax
        END
        TEST "from a 16-bit TSS to a 32-bit one and back: its AX, SP and CS saved"
        call set_up_c
        TASK_B task_from_16
        movw $c_calls_b - c_code, tss_c + 0x0e
        GO
        lcall $C, $0
        movl %esp, %eax
        subl test_stack, %eax
        NOTE %eax
        END
        ret

# EAX: the entry. Fills B's TSS.
set_up_b:
        movl $tss_b, %edi
        movl $26, %ecx
        pushl %eax
        xorl %eax, %eax
        rep stosl
        popl tss_b + EIP
        movl $inner_stack_top, tss_b + 4
        movl $KERNEL_DS, tss_b + 8
        movl %cr3, %eax
        movl %eax, tss_b + 0x1c
        movl $2, tss_b + EFLAGS
        movl $0x11111111, tss_b + EAX
        movl $0x88888888, tss_b + EDI
        movl $task_stack_top, tss_b + ESP
        movl $USER_DS, tss_b + ES
        movl $KERNEL_CS, tss_b + CS
        movl $KERNEL_DS, tss_b + SS
        movl $USER_DS, tss_b + DS
        movl $USER_DS, tss_b + FS
        movw $0x68, tss_b + 0x66
        SEGMENT B, $tss_b, $0x67, $0x89
        ret

# Fills the 16-bit TSS: its code begins at c_code, which is offset 0 of CODE16.
set_up_c:
        SEGMENT CODE16, $c_code, $0xfffff, $0xc09a
        SEGMENT Y, $task_stack_top-0x1000, $0xffff, $0x4092
        SEGMENT C, $tss_c, $0x2b, $0x81
        movl $tss_c, %edi
        movl $11, %ecx
        xorl %eax, %eax
        rep stosl
        movw $2, tss_c + 0x10
        movw $0xaaaa, tss_c + 0x12
        movw $0x1000, tss_c + 0x1a
        movw $0xdddd, tss_c + 0x20
        movw $USER_DS, tss_c + 0x22
        movw $CODE16, tss_c + 0x24
        movw $Y, tss_c + 0x26
        movw $USER_DS, tss_c + 0x28
        ret

# --- what tasks do ---

task_notes:
        call note_task
        jmp finish

note_task:
        pushfl
        popl %ebx
        str %eax
        NOTE %eax
        NOTE %ebx
        movl %cr0, %eax
        andl $8, %eax
        NOTE %eax
        NOTE_BUSY
        movzwl tss_b, %eax
        NOTE %eax
        ret

task_notes_and_returns:
        call note_task
        iretl

task_registers:
        NOTE %eax
        NOTE %edi
        movl %es, %eax
        NOTE %eax
        movl %cs, %eax
        NOTE %eax
        movl %ss, %eax
        NOTE %eax
        movl %fs, %eax
        NOTE %eax
        jmp finish

task_saved:
        movl tss + EIP, %eax
        subl test_start, %eax
        NOTE %eax
        NOTE tss+EFLAGS
        NOTE tss+EAX
        movl tss + ESP, %eax
        subl test_stack, %eax
        NOTE %eax
        NOTE tss+ES
        NOTE tss+CS
        NOTE tss+SS
        NOTE tss+GS
        jmp finish

task_returns:
        iretl

task_exception:
        popl %eax
        NOTE %eax
task_trap:
        movl %esp, %eax
        subl $task_stack_top, %eax
        NOTE %eax
        movl tss + EIP, %eax
        subl test_start, %eax
        NOTE %eax
        NOTE tss+EFLAGS
        jmp finish

task_ldt:
        sldt %eax
        NOTE %eax
        movl %fs, %eax
        NOTE %eax
        jmp finish

task_debug:
        movl %dr7, %eax
        NOTE %eax
        jmp finish

user_task:
        movl $0x5a5a5a5a, %eax
        NOTE %eax
        int $0x30

note_debug:
        movl %dr6, %eax
        NOTE %eax
        movl (%esp), %eax
        subl test_start, %eax
        NOTE %eax
        jmp finish

note_fault_in_b:
        movl $USER_DS, %eax
        movl %eax, %ds
        str %eax
        NOTE %eax
        NOTE_BUSY
        movl %cr0, %eax
        andl $8, %eax
        NOTE %eax
finish: call passed
        jmp go_on

task_from_16:
        movzwl tss_c + 0x12, %eax
        NOTE %eax
        movzwl tss_c + 0x1a, %eax
        NOTE %eax
        movzwl tss_c + 0x24, %eax
        NOTE %eax
        movzwl tss_b, %eax
        NOTE %eax
        iretl

        .balign 16
c_code: movzwl %ax, %eax
        NOTE %eax
        movzwl %di, %edi
        NOTE %edi
        pushfw
        pushw %ax
        popl %eax
        shrl $16, %eax
        NOTE %eax
        movl %cs, %eax
        NOTE %eax
        movl %ss, %eax
        NOTE %eax
        movzwl tss_c, %eax
        NOTE %eax
        iretl
c_calls_b:
        movl $0x7777, %eax
        lcall $B, $0
        iretl

        .bss
        .balign 128
tss_b:  .space 128
tss_c:  .space 128
        .space 4096
task_stack_top:
