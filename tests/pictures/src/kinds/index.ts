/** One drawer for each type of panel. */
import { ComponentType } from 'react';
import { Curves } from './curves';
import { Heatmap } from './heatmap';
import { Drawn } from './kind';
import { Bars, Stat } from './stat';
import { Table } from './table';
import { History, Timeline } from './timeline';

export const KINDS: Record<string, ComponentType<Drawn>> = {
  bargauge: Bars,
  heatmap: Heatmap,
  stat: Stat,
  'state-timeline': Timeline,
  'status-history': History,
  table: Table,
  timeseries: Curves,
};
