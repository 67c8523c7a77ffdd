# Task switches: by JMP, CALL, INT, exceptions and IRET, through TSS descriptors and task gates.
# Intel SDM vol. 3A chapter 7.

        .include "tasks.inc"

        GATE_B = SPARE + 16
        Y = SPARE + 32
        CODE16 = SPARE + 40
        LOCAL = 0x0c

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

note_debug:
        movl %dr6, %eax
        NOTE %eax
        movl (%esp), %eax
        subl test_start, %eax
        NOTE %eax
        jmp finish

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
# The upper halves of registers are not in a 16-bit TSS.
c_code: movzwl %sp, %esp
        movzwl %ax, %eax
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
        movzwl %sp, %esp
        movl $0x7777, %eax
        lcall $B, $0
        iretl
