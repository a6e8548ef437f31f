// openapi_calls.ts -- calls of a generated client: an update, reads, errors. Next
// to it openapi.mjs puts profiles.ts, which is generated.
import createClient from 'openapi-fetch';

import type { components, paths } from './profiles.js';

type Status = components['schemas']['Status'];

// The name of an error, and the fields at fault.
function reasonOf(status: Status | undefined) {
    for (const detail of status?.details ?? [])
        if ('reason' in detail)
            return detail.reason;
}

function fieldsOf(status: Status | undefined) {
    return (status?.details ?? []).flatMap((detail) =>
        'fieldViolations' in detail
            ? detail.fieldViolations.map(({ field }) => field) : []);
}

export async function play(baseUrl: string, token: string, userId: string) {
    const client = createClient<paths>({
        baseUrl, headers: { Authorization: `Bearer ${token}` },
    });
    const path = '/management/v1/users/{userId}/profile';
    const before = await client.GET(path, { params: { path: { userId } } });
    const etag = before.response.headers.get('ETag') ?? undefined;
    const change = () => client.PUT(path, {
        params: { path: { userId }, header: { 'If-Match': etag } },
        body: {
            firstName: 'Zoë', lastName: 'Größe', displayName: 'Zoë G.',
            nickName: 'Z', gender: 'GENDER_DIVERSE',
        },
    });
    const updated = await change();
    const conflict = await change();
    const invalid = await client.PUT(path, {
        params: { path: { userId } },
        body: { firstName: '', lastName: 'L', displayName: 'D' },
    });
    const after = await client.GET('/v2/users/{userId}',
        { params: { path: { userId } } });
    return {
        before: before.data, etag, updated: updated.data, after: after.data,
        conflict: [conflict.response.status, reasonOf(conflict.error)],
        invalid: [invalid.response.status, reasonOf(invalid.error),
            fieldsOf(invalid.error)],
    };
}
