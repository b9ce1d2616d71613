/** Transformations, and what a panel's field configuration makes of its frames, both by Grafana's own code. */
import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  DataFrame,
  FieldConfigOptionsRegistry,
  FieldConfigPropertyItem,
  GrafanaTheme2,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from '@grafana/data';
import { firstValueFrom } from 'rxjs';
import { Panel } from './dashboard';
import { replacer } from './variables';

const STANDARD = [
  'unit',
  'min',
  'max',
  'fieldMinMax',
  'decimals',
  'displayName',
  'description',
  'color',
  'links',
  'noValue',
  'thresholds',
  'mappings',
  'filterable',
];

/** What Grafana's own panels put where the JSON is silent. */
const CUSTOM: Record<string, object> = {
  timeseries: {
    axisPlacement: 'auto',
    axisBorderShow: false,
    axisCenteredZero: false,
    axisColorMode: 'text',
    axisLabel: '',
    barAlignment: 0,
    barWidthFactor: 0.6,
    gradientMode: 'none',
    hideFrom: { legend: false, tooltip: false, viz: false },
    insertNulls: false,
    pointSize: 5,
    scaleDistribution: { type: 'linear' },
  },
};

export function begin(): void {
  standardTransformersRegistry.setInit(() =>
    [...new Map(Object.values(standardTransformers).map((one: any) => [one.id, one])).values()].map(
      (transformation) => ({
        id: transformation.id,
        name: transformation.name,
        transformation,
        editor: null as any,
        imageDark: '',
        imageLight: '',
      }),
    ),
  );
}

export async function transformed(panel: Panel, frames: DataFrame[]): Promise<DataFrame[]> {
  if (!panel.transformations?.length) {
    return frames;
  }
  return firstValueFrom(transformDataFrame(panel.transformations, frames, { interpolate: (text) => text }));
}

export function configured(
  panel: Panel,
  frames: DataFrame[],
  theme: GrafanaTheme2,
  replace: ReturnType<typeof replacer>,
): DataFrame[] {
  const { defaults, overrides } = panel.fieldConfig;
  const fieldConfig = { defaults: { ...defaults, custom: { ...CUSTOM[panel.type], ...defaults.custom } }, overrides };
  const found = applyFieldOverrides({
    data: frames,
    fieldConfig,
    fieldConfigRegistry: options(panel),
    replaceVariables: replace as any,
    theme,
    timeZone: 'utc',
  });
  cacheFieldDisplayNames(found);
  return found;
}

/** Every option that this panel sets, each taken as it is written. */
function options(panel: Panel): FieldConfigOptionsRegistry {
  const { defaults, overrides } = panel.fieldConfig;
  const set = overrides
    .flatMap(({ properties }) => properties.map(({ id }) => id))
    .filter((id) => id.startsWith('custom.'));
  const names = { ...CUSTOM[panel.type], ...defaults.custom };
  const custom = new Set([...Object.keys(names), ...set.map((id) => id.slice('custom.'.length))]);
  return new FieldConfigOptionsRegistry(() => [
    ...STANDARD.map((id) => item(id, id, false)),
    ...[...custom].map((name) => item(`custom.${name}`, name, true)),
  ]);
}

const item = (id: string, path: string, isCustom: boolean): FieldConfigPropertyItem =>
  ({
    id,
    path,
    isCustom,
    name: id,
    override: null as any,
    editor: null as any,
    process: (value: unknown) => value,
    shouldApply: () => true,
  }) as FieldConfigPropertyItem;
