# Breakpoints of the debug registers. Intel SDM vol. 3B §17.2, §17.3.1.

        .include "debug.inc"

test_main:
# --- instruction breakpoints are faults ---
        TEST "at an instruction: EIP, DR6, and RF in the image"
        WATCH
        BREAKPOINT 1f, EXECUTE
        GO
        nop
1:      incl %ebx
        nop
        END
        TEST "RF in IRET's image steps over it"
        WATCH
        BREAKPOINT 1f, EXECUTE
        movl $0, %ebx
        GO
        nop
1:      incl %ebx
        NOTE %ebx
        END
        TEST "on a prefix, and behind it"
        WATCH
        BREAKPOINT 1f+1, EXECUTE
        GO
1:      .byte 0x66
        incl %ebx
        END
        TEST "an instruction that faults has RF set in its image"
        VECTOR 6, KERNEL_CS, note_rf, 0x8e
        GO
        ud2
        END
        TEST "int3 has RF clear in its image"
        VECTOR 3, KERNEL_CS, note_rf, 0x8e
        GO
        int3
        END
        TEST "by its local bit"
        WATCH
        BREAKPOINT 1f, 0x401
        GO
1:      nop
        END
        TEST "not enabled: DR6"
        WATCH
        BREAKPOINT 1f, 0x400
        GO
1:      nop
        movl %dr6, %eax
        NOTE %eax
        END
        TEST "behind MOV SS"
        WATCH
        BREAKPOINT 1f, EXECUTE
        movl %ss, %ecx
        GO
        movl %ecx, %ss
1:      nop
        nop
        END
        TEST "DR3"
        WATCH
        movl $1f, %eax
        movl %eax, %dr3
        movl $0x480, %eax
        movl %eax, %dr7
        GO
1:      nop
        END
        TEST "before an instruction that faults"
        WATCH
        VECTOR 6, KERNEL_CS, skip_ud, 0x8e
        BREAKPOINT 1f, EXECUTE
        GO
1:      ud2
        END

# --- data breakpoints are traps ---
        TEST "write: 1 byte"
        WATCH
        BREAKPOINT scratch+1, WRITE1
        GO
        movb %al, scratch
        movb %al, scratch + 1
        movb %al, scratch + 2
        nop
        END
        TEST "write: of 4 bytes over the one"
        WATCH
        BREAKPOINT scratch+3, WRITE1
        GO
        movl %eax, scratch
        movl %eax, scratch + 4
        END
        TEST "write: 2 bytes, aligned down"
        WATCH
        BREAKPOINT scratch+3, WRITE2
        GO
        movb %al, scratch + 1
        movb %al, scratch + 2
        movb %al, scratch + 3
        movb %al, scratch + 4
        nop
        END
        TEST "write: 4 bytes"
        WATCH
        BREAKPOINT scratch+4, WRITE4
        GO
        movb %al, scratch + 3
        movb %al, scratch + 7
        movb %al, scratch + 8
        nop
        END
        TEST "write: not at a read"
        WATCH
        BREAKPOINT scratch, WRITE4
        GO
        movl scratch, %eax
        nop
        END
        TEST "access: read, write, and read-modify-write"
        WATCH
        BREAKPOINT scratch, ACCESS4
        GO
        movl scratch, %eax
        movl %eax, scratch
        incl scratch
        nop
        END
        TEST "access: not at a fetch"
        WATCH
        BREAKPOINT 1f, ACCESS1
        GO
1:      nop
        nop
        END
        TEST "write: by a push"
        WATCH
        movl %esp, %eax
        subl $4, %eax
        movl %eax, %dr0
        movl $WRITE4, %ebx
        GO
        movl %ebx, %dr7
        pushl %eax
        nop
        END
        TEST "write: in a REP, with ECX"
        VECTOR 1, KERNEL_CS, watch_ecx, 0x8e
        BREAKPOINT scratch+2, WRITE1
        movl $scratch, %edi
        movl $5, %ecx
        GO
        rep stosb
        nop
        END
        TEST "write: with TF"
        WATCH
        BREAKPOINT scratch, WRITE4
        GO
        STEP_ON
        movl %eax, scratch
        STEP_OFF
        END
        TEST "MOV SS that reads a watched word traps after the next instruction"
        WATCH
        movl %ss, %eax
        movl %eax, scratch
        BREAKPOINT scratch, ACCESS4
        GO
        movw scratch, %ss
        nop
        nop
        END
        TEST "CPL 3: write"
        WATCH
        BREAKPOINT scratch, WRITE4
        USER
        movl %eax, scratch
        nop
        int $0x30
89:
        TEST "I/O: in, out"
        WATCH
        BREAKPOINT 0x81, 0x00020402
        movl %cr4, %eax
        orl $8, %eax
        movl %eax, %cr4
        GO
        inb $0x80, %al
        inb $0x81, %al
        outb %al, $0x81
        inw $0x80, %ax
        movl %cr4, %eax
        andl $~8, %eax
        movl %eax, %cr4
        END
        TEST "two at once"
        WATCH
        movl $scratch, %eax
        movl %eax, %dr1
        movl %eax, %dr2
        movl $0x0dd00428, %eax
        movl %eax, %dr7
        GO
        movl %eax, scratch
        END
        ret

watch_ecx:
        NOTE %ecx
        jmp watch_entry

note_rf:
        movl 8(%esp), %eax
        andl $RF, %eax
        NOTE %eax
        jmp finish
        jmp finish
