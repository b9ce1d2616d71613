/** Curves: Grafana's own TimeSeries; the marks on it are imitated. */
import { DataFrame, FieldType } from '@grafana/data';
import { TimeSeries } from '@grafana/ui';
import { useMemo } from 'react';
import { Marks } from './marks';
import { Drawn } from './kind';
import { empty, Nothing } from './nothing';

export function Curves({ frames, options, fieldConfig, width, height, span, marks }: Drawn) {
  const drawable = useMemo(() => graphable(frames), [frames]);
  if (empty(drawable)) {
    return <Nothing fieldConfig={fieldConfig} />;
  }
  return (
    <TimeSeries
      frames={drawable}
      structureRev={1}
      timeRange={span.range}
      timeZone="utc"
      width={width}
      height={height}
      legend={options.legend}
      options={options}
    >
      {(config) => <Marks config={config} marks={marks} />}
    </TimeSeries>
  );
}

/** What is no number is a gap: the scale would get lost in it. */
function graphable(frames: DataFrame[]): DataFrame[] {
  return frames
    .filter(({ length }) => length)
    .map((frame) => ({
      ...frame,
      fields: frame.fields.map((field) =>
        field.type === FieldType.number
          ? { ...field, values: field.values.map((value) => (Number.isFinite(value) ? value : null)) }
          : field,
      ),
    }));
}
