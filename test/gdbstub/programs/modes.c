/*
 * What a debugger trips over: recursion, locals that go out of scope, several variables watched at once, reads,
 * a function to be called, a timer's interrupts, REP, real mode and virtual-8086 mode.
 */
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

__asm__(".section .multiboot,\"a\"\n.long 0x1badb002, 0, -0x1badb002\n.text\n"
        ".globl _start\n_start: movl $stack_top, %esp\ncall main\nmovb $0x31, %al\noutb %al, $0xf4\njmp .\n"
        ".bss\n.align 16\n.space 8192\n.globl stack_top\nstack_top:\n.space 4096\ninner_top:\n.text\n");

volatile u32 ticks;
int total;
int first, second, third, fourth, fifth;
char text[] = "needle in a haystack";
u8 area[64];

struct node {
    int value;
    struct node *next;
} chain[3];

static void outb(u16 port, u8 value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }

int square(int x)
{
    return x * x;
}

int descend(int n)
{
    int here = n * 10;               /* descend begins */
    if (n > 0) here += descend(n - 1); /* descend recurs */
    return here;                     /* descend ends */
}

void scope(void)
{
    int local = 1; /* scope begins */
    local = 2;
    local = square(local);
    total = local; /* scope ends */
}

void several(void)
{
    first = 1; /* several begins */
    second = 2;
    third = 3;
    fourth = 4;
    fifth = first + second; /* reads first */
    first = 10;
}

void list(void)
{
    for (int i = 0; i < 3; i++) {
        chain[i].value = i + 1;
        chain[i].next = i < 2 ? &chain[i + 1] : 0;
    }
}

void wait(void)
{
    u32 end = ticks + 3;
    __asm__ volatile("sti");
    while (ticks != end) total++; /* waits */
    __asm__ volatile("cli");
}

void fill(void)
{
    void *at = area;
    u32 count = 8;
    __asm__ volatile(".globl fill_rep\nfill_rep: rep stosb" : "+D"(at), "+c"(count) : "a"(7) : "memory");
}

/* 16-bit code, copied to 7000h: from a 16-bit segment to real mode and back. */
__asm__(".globl real_code, real_end, real_work, real_mode, back\n.code16\n"
        "real_code: movw $0x20, %ax\nmovw %ax, %ds\nmovw %ax, %ss\n"
        "movl %cr0, %eax\nandl $~1, %eax\nmovl %eax, %cr0\nljmp $0x700, $real_mode - real_code\n"
        "real_mode: xorw %ax, %ax\nmovw %ax, %ds\n"
        "real_work: movw $0x1234, %bx\nincw %bx\nmovw %bx, 0x6000\n"
        "movl %cr0, %eax\norl $1, %eax\nmovl %eax, %cr0\nljmpl $8, $back\n"
        "real_end:\n.code32\n"
        "back: movw $0x10, %ax\nmovw %ax, %ds\nmovw %ax, %es\nmovw %ax, %ss\nret\n"
        ".globl to_real\n.type to_real, @function\nto_real: ljmp $0x18, $0\n.size to_real, . - to_real\n"
        /* Virtual-8086 code, copied to 7200h: its HLT is a #GP, whose handler goes on behind enter_v86. */
        ".globl v86_code, v86_end, enter_v86, v86_over\n.code16\n"
        "v86_code: movw $7, %ax\nincw %ax\nnop\nhlt\nv86_end:\n.code32\n"
        ".type enter_v86, @function\nenter_v86: pushl %ebx\nmovl %esp, outer_esp\n"
        "pushl $0\npushl $0\npushl $0\npushl $0\npushl $0x720\npushl $0xf00\npushl $0x20002\npushl $0x720\npushl $0\n"
        "iret\n.size enter_v86, . - enter_v86\n"
        "v86_over: movl %ss:outer_esp, %esp\nmovw $0x10, %ax\nmovw %ax, %ds\nmovw %ax, %es\npopl %ebx\nret\n"
        ".globl irq0\n.type irq0, @function\nirq0: pushal\nincl ticks\nmovb $0x20, %al\noutb %al, $0x20\npopal\niret\n"
        ".size irq0, . - irq0\n.bss\n.globl outer_esp\nouter_esp: .space 4\n.text\n");

extern const u8 real_code[], real_end[], v86_code[], v86_end[];
extern u8 inner_top[];
void to_real(void), enter_v86(void), v86_over(void), irq0(void);

static u32 tss[26];
static u32 gdt[12] = {0, 0, 0xffff, 0xcf9a00, 0xffff, 0xcf9200, 0x7000ffff, 0x9a00, 0xffff, 0x9200};
static u32 idt[2 * 0x21];

static void gate(int vector, void (*handler)(void))
{
    idt[2 * vector] = 0x80000 | ((u32)handler & 0xffff);
    idt[2 * vector + 1] = ((u32)handler & 0xffff0000) | 0x8e00;
}

static void copy(u8 *to, const u8 *from, const u8 *end)
{
    while (from < end) *to++ = *from++;
}

static void tables(void)
{
    struct {
        u16 limit;
        u32 base;
    } __attribute__((packed)) table = {sizeof gdt - 1, (u32)gdt};
    tss[1] = (u32)inner_top;
    tss[2] = 0x10;
    gdt[10] = ((u32)tss << 16) | (sizeof tss - 1);
    gdt[11] = ((u32)tss & 0xff000000) | 0x8900 | (((u32)tss >> 16) & 0xff);
    gate(13, v86_over);
    gate(0x20, irq0);
    __asm__ volatile("lgdt %0\nljmp $8, $1f\n1: movw $0x10, %%ax\nmovw %%ax, %%ds\nmovw %%ax, %%es\n"
                     "movw %%ax, %%ss\nmovw $0x28, %%ax\nltr %%ax" : : "m"(table) : "eax");
    table.limit = sizeof idt - 1;
    table.base = (u32)idt;
    __asm__ volatile("lidt %0" : : "m"(table));
    outb(0x20, 0x11), outb(0x21, 0x20), outb(0x21, 4), outb(0x21, 1), outb(0x21, 0xfe), outb(0xa1, 0xff);
    outb(0x43, 0x34), outb(0x40, 100), outb(0x40, 0);
}

int main(void)
{
    tables();              /* main: tables */
    total = descend(3);    /* main: descend */
    scope();               /* main: scope */
    several();             /* main: several */
    list();                /* main: list */
    wait();                /* main: wait */
    fill();                /* main: fill */
    copy((u8 *)0x7000, real_code, real_end);
    to_real();             /* main: real */
    copy((u8 *)0x7200, v86_code, v86_end);
    enter_v86();           /* main: v86 */
    total = square(9);     /* main: end */
    return 0;
}
