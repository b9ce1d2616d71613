/** What whoever takes the picture is told: when all is drawn, and what went wrong. */
import { DataFrame } from '@grafana/data';
import { Panel } from './dashboard';

interface Told {
  height: number;
  panels: { id: number; title: string; type: string; frames: number; rows: number }[];
  faults: string[];
}

const told: Told = { height: 0, panels: [], faults: [] };
const SETTLES = 700; // milliseconds, for icons and what draws itself twice

let wanted = Infinity;

export function expect(count: number): void {
  wanted = count;
  settle();
}

export function drawn({ id, title, type }: Panel, frames: DataFrame[] = []): void {
  told.panels.push({
    id,
    title,
    type,
    frames: frames.length,
    rows: frames.reduce((sum, frame) => sum + frame.length, 0),
  });
  settle();
}

export function failed({ id, title }: Panel, reason: string): void {
  told.faults.push(`${id} ${title}: ${reason}`);
}

export function broken(reason: string): void {
  told.faults.push(reason);
  finish();
}

function settle(): void {
  if (told.panels.length >= wanted) {
    document.fonts.ready.then(() => setTimeout(finish, SETTLES));
  }
}

function finish(): void {
  told.height = Math.ceil(document.getElementById('page')!.getBoundingClientRect().height);
  (window as any).draw?.(told);
}
