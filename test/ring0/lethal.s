# Checks that QEMU doesn't survive. Intel SDM vol. 3A §2.5.

        .include "ring0.inc"

test_main:
        TEST "PG without PE"
        movl %cr0, %eax
        orl $0x80000000, %eax
        andl $~1, %eax
        GO
        movl %eax, %cr0
        END
        TEST "PG without PE, at CPL 3"
        USER
        movl %eax, %cr0
        USER_END
        TEST "reserved bits of CR4"
        movl $0x00008000, %eax
        GO
        movl %eax, %cr4
        END
        ret
