/*
 * What gdb's own tests of reverse debugging are about, as one Multiboot kernel: steps over and into calls,
 * watched variables, until and advance, finish, breakpoints one behind the other, and machine state in
 * registers, statics, the stack and memory that a device wrote to.
 */
typedef unsigned int u32;

__asm__(".section .multiboot,\"a\"\n.long 0x1badb002, 0, -0x1badb002\n.text\n"
        ".globl _start\n_start: movl $stack_top, %esp\ncall main\nmovb $0x31, %al\noutb %al, $0xf4\njmp .\n"
        ".bss\n.align 16\n.space 4096\n.globl stack_top\nstack_top:\n.text\n");

int counter;
int watched;
int cells[4];
static int hidden = 10;

int twice(int x)
{
    int result = x + x; /* in twice */
    return result;      /* end of twice */
}

int outer(int x)
{
    int inner = twice(x); /* call in outer */
    return inner + 1;     /* end of outer */
}

int factorial(int n)
{
    if (n <= 1) return 1; /* bottom */
    return n * factorial(n - 1);
}

void steps(void)
{
    counter = 1;             /* first step */
    counter = twice(counter); /* step with a call */
    counter = outer(counter); /* step with two calls */
    counter = counter + 100; /* last step */
}

void watches(void)
{
    watched = 1;    /* first write */
    watched = 2;    /* second write */
    counter = 0;    /* no write */
    watched = 2;    /* write of the same */
    watched = 3;    /* third write */
    cells[2] = 7;   /* write of a cell */
}

int loops(void)
{
    int sum = 0; /* before the loop */
    for (int i = 0; i < 5; i++) {
        sum += i; /* loop body */
    }
    return sum; /* after the loop */
}

/* Four instructions of one byte, so that breakpoints can lie side by side. */
void consecutive(void);
__asm__(".globl consecutive\n.type consecutive, @function\nconsecutive:\nincl %eax\n.globl consecutive_2\n"
        "consecutive_2: decl %eax\n.globl consecutive_3\nconsecutive_3: nop\nret\n"
        ".size consecutive, . - consecutive\n");

int state(void)
{
    static int local;
    register int fast = 3; /* state begins */
    int slow = 4;
    hidden = hidden + fast;    /* changes a static of the file */
    local = local + slow;      /* changes a static of the function */
    fast = fast * 5;           /* changes a register */
    slow = slow - 1;           /* changes the stack */
    return fast + slow + local; /* state ends */
}

void send(char c)
{
    __asm__ volatile("outb %b0, %w1" : : "a"(c), "d"(0x3f8));
}

int main(void)
{
    steps();       /* main: steps */
    watches();     /* main: watches */
    counter = loops();        /* main: loops */
    counter = factorial(5);   /* main: factorial */
    consecutive(); /* main: consecutive */
    counter = state();        /* main: state */
    send('!');     /* main: send */
    return 0;      /* main: end */
}
