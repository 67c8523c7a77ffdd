# Single steps, and the debug registers as operands. Intel SDM vol. 3B §17.2, §17.3.1.4.

        .include "debug.inc"

test_main:
# --- single steps: each trap is noted as its EIP and DR6 ---
        TEST "TF: after the instruction that follows POPF"
        WATCH
        GO
        STEP_ON
        nop
        STEP_OFF
        END
        TEST "TF: a jump that is taken"
        WATCH
        GO
        STEP_ON
        jmp 1f
        nop
1:      STEP_OFF
        END
        TEST "TF: each iteration of a REP"
        WATCH
        movl $scratch, %edi
        movl $3, %ecx
        GO
        STEP_ON
        rep stosb
        STEP_OFF
        END
        TEST "TF: POP SS and what follows are one"
        WATCH
        GO
        pushl %ss
        STEP_ON
        popl %ss
        nop
        STEP_OFF
        END
        TEST "TF: STI casts no shadow on it"
        WATCH
        GO
        STEP_ON
        sti
        nop
        STEP_OFF
        END
        TEST "TF: an instruction that faults traps once, when it is done"
        WATCH
        VECTOR 6, KERNEL_CS, skip_ud, 0x8e
        GO
        STEP_ON
        ud2
        STEP_OFF
        END
        TEST "TF: INT goes through without a trap, its IRET traps after the next"
        WATCH
        VECTOR 0x31, KERNEL_CS, just_return, 0x8e
        GO
        STEP_ON
        int $0x31
        nop
        STEP_OFF
        END
        TEST "TF: pushfl stores it"
        WATCH
        GO
        STEP_ON
        pushfl
        STEP_OFF
        popl %eax
        andl $TF, %eax
        NOTE %eax
        END
        TEST "TF: iretl that sets it traps after the next"
        WATCH
        GO
        pushl $TF + 2
        pushl $KERNEL_CS
        pushl $1f
        iretl
1:      nop
        STEP_OFF
        END
        TEST "TF: CPL 3"
        WATCH
        USER TF+2
        nop
        int $0x30
89:
        TEST "TF: DR6 is gathered, not cleared"
        WATCH
        movl $0xffff2ff0, %eax
        movl %eax, %dr6
        GO
        STEP_ON
        nop
        STEP_OFF
        END
        TEST "int1 leaves DR6"
        WATCH
        GO
        .byte 0xf1
        END
        TEST "int $1 leaves DR6"
        WATCH
        GO
        int $1
        END

# --- the registers ---
        TEST "DR7 reads with bit 10 set"
        GO
        xorl %eax, %eax
        movl %eax, %dr7
        movl %dr7, %eax
        NOTE %eax
        END
        TEST "DR6 after reset values"
        GO
        xorl %eax, %eax
        movl %eax, %dr6
        movl %dr6, %eax
        NOTE %eax
        END
        TEST "GD: mov from DR0; DR6, and DR7 in the handler"
        VECTOR 1, KERNEL_CS, note_registers, 0x8e
        movl $0x2400, %eax
        GO
        movl %eax, %dr7
        movl %dr0, %ebx
        END
        TEST "GD: mov to DR7"
        VECTOR 1, KERNEL_CS, note_registers, 0x8e
        movl $0x2400, %eax
        GO
        movl %eax, %dr7
        movl %eax, %dr7
        END
        TEST "DR4 and DR5 are DR6 and DR7 without CR4.DE"
        GO
        .byte 0x0f, 0x21, 0xe0          # movl %dr4, %eax
        NOTE %eax
        .byte 0x0f, 0x21, 0xe8          # movl %dr5, %eax
        NOTE %eax
        END
        TEST "DR4 with CR4.DE"
        movl %cr4, %eax
        orl $8, %eax
        movl %eax, %cr4
        GO
        .byte 0x0f, 0x21, 0xe0
        END
        TEST "CPL 3, mov from DR0"
        USER
        movl %dr0, %eax
        USER_END
        TEST "CPL 3, mov to DR7"
        USER
        movl %eax, %dr7
        USER_END
        ret

note_registers:
        movl %dr6, %eax
        NOTE %eax
        movl %dr7, %eax
        NOTE %eax
        movl (%esp), %eax
        subl test_start, %eax
        NOTE %eax
        jmp finish
