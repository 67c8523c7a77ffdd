# Commands for gdb on a target that "holdoff gdb" serves. Load it with
#   source holdoff.gdb
# or print it into a file with "holdoff gdb --print-gdbinit". "help holdoff" lists what it defines.

define holdoff
  help user-defined
end
document holdoff
The commands of holdoff for gdb: seek, go-back, go-forward, when, mark, marks, events, window, why,
last-write, inject, catch-irq, uncatch-irq, catch-exception.
end

define seek
  if $argc == 1
    monitor aim $arg0
  else
    monitor aim $arg0 $arg1
  end
  continue
end
document seek
Go to an instant: seek @1234567, seek +100, seek -1, seek 50%, seek event 3, seek begin, seek end, seek MARK.
gdb sees the state there at once, and Ctrl-C stops it on the way. Breakpoints are passed over.
end

define holdoff-flush
  maintenance flush register-cache
  maintenance flush dcache
  frame
end
document holdoff-flush
Have gdb read registers and memory again, after a monitor command has moved the machine.
end

define go-back
  monitor aim back
  continue
end
document go-back
Go to where the last seek or continue began. Again, and it goes further back.
end

define go-forward
  monitor aim forward
  continue
end
document go-forward
Go to where go-back came from.
end

define when
  monitor when
end
document when
The present instant, and where the log ends.
end

define mark
  monitor mark $arg0
end
document mark
Give the present instant a name, which seek takes: mark NAME.
end

define marks
  monitor marks
end
document marks
The names that were given to instants.
end

define events
  monitor events
end
document events
The recorded events before and after the present instant.
end

define window
  monitor window
end
document window
Where interrupts could be taken around the present instant, and what closed the way.
end

define why
  monitor why
end
document why
Why an interrupt could be taken here, or could not.
end

define last-write
  monitor last-write $arg0
end
document last-write
The instant before here that wrote to an address or a symbol: last-write counter.
end

define inject
  if $argc == 1
    monitor inject $arg0
  else
    monitor inject $arg0 $arg1
  end
end
document inject
Have an interrupt line rise here, in a diversion: inject irq 0, inject nmi.
end

define catch-irq
  handle SIGALRM SIGIO SIGURG stop print
end
document catch-irq
Stop at each interrupt, forward and backward: timers are SIGALRM, others SIGIO, NMI is SIGURG.
end

define uncatch-irq
  handle SIGALRM SIGIO SIGURG nostop noprint
end
document uncatch-irq
Stop at interrupts no more.
end

define catch-exception
  monitor exceptions on
  handle SIGSEGV SIGILL SIGFPE SIGBUS stop print
end
document catch-exception
Stop at each exception: SIGSEGV, SIGILL, SIGFPE or SIGBUS by vector. "monitor exceptions off" ends it.
end
