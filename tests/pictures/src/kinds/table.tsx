/** A table: Grafana's own. */
import { TableNG } from '@grafana/ui/unstable';
import { Drawn } from './kind';
import { empty, Nothing } from './nothing';

export function Table({ frames, options, fieldConfig, width, height, span }: Drawn) {
  const [frame] = frames;
  if (!frame?.fields.length || empty(frames)) {
    return <Nothing fieldConfig={fieldConfig} />;
  }
  return (
    <TableNG
      data={frame}
      width={width}
      height={height}
      noHeader={!options.showHeader}
      initialSortBy={options.sortBy}
      cellHeight={options.cellHeight}
      timeRange={span.range}
      fieldConfig={fieldConfig}
      resizable
      enableVirtualization={false}
      structureRev={1}
    />
  );
}
