/** What a timeline shows with `info os NAME`. */
import { describeEvent } from '../replay/divergence.js';
import { formatInstant, type Instant } from '../replay/instant.js';
import type { Timeline } from '../replay/timeline.js';
import { type Stretch, stretchesAround } from './boundaries.js';
import { describeVector, placeName, type Symbols } from './symbols.js';
import type { OsTable } from './target.js';

/** Rows before and after the present instant. */
const MOST_ROWS = 500;
/** Boundaries before and after it. */
const WINDOW_REACH = 1000;

/** The tables: events, windows, checkpoints. */
export function timelineTables(timeline: Timeline, symbols: Symbols | null): readonly OsTable[] {
  return [
    {
      name: 'events',
      summary: 'what was recorded around the present instant',
      columns: ['Number', 'Instant', 'Kind', 'Event'],
      rows: () => eventRows(timeline),
    },
    {
      name: 'windows',
      summary: 'where interrupts could be taken around the present instant, and where not',
      columns: ['First', 'Last', 'Boundaries', 'Interrupts', 'Waiting', 'From', 'To'],
      rows: () => windowRows(timeline, symbols),
    },
    {
      name: 'checkpoints',
      summary: 'states from which others are reached',
      columns: ['Instant', 'Pages'],
      rows: () => timeline.checkpoints.map(({ at, pages }) => [formatInstant(at), String(pages)]),
    },
  ];
}

function eventRows(timeline: Timeline): string[][] {
  const before = timeline.eventsBefore(timeline.instant);
  const first = Math.max(0, before - MOST_ROWS);
  return timeline.log
    .slice(first, before + MOST_ROWS)
    .map((event, place) => [
      String(first + place),
      formatInstant(event.at),
      event.kind,
      describeEvent(event),
    ]);
}

function windowRows(timeline: Timeline, symbols: Symbols | null): string[][] {
  if (timeline.isDiverted) return [];
  const walk = stretchesAround(timeline, WINDOW_REACH);
  let step = walk.next();
  while (step.done !== true) step = walk.next();
  return step.value.map((stretch) => stretchRow(stretch, timeline.instant, symbols));
}

/** First and last instant, how many, the gate, what waits, and where in the program. */
export function stretchRow(stretch: Stretch, here: Instant, symbols: Symbols | null): string[] {
  const { first, last, gate, pending } = stretch;
  const isHere = first <= here && here <= last;
  return [
    `${isHere ? '=> ' : ''}${formatInstant(first)}`,
    formatInstant(last),
    String(last - first + 1),
    gate === 'open' ? 'open' : `closed: ${gate}`,
    describeVector(pending),
    placeName(symbols, stretch.from),
    placeName(symbols, stretch.to),
  ];
}
