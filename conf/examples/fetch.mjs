// fetch.mjs USER -- JavaScript's fetch reads and changes a nick name. $URL and
// $TOKEN say where and who; "make run" leaves them in build/run/env.
const url = `${process.env.URL}/v2/users/${process.argv[2]}`;

async function call(method, body, etag) {
    const headers = {
        'Authorization': `Bearer ${process.env.TOKEN}`,
        'Content-Type': 'application/json',
    };
    if (etag)
        headers['If-Match'] = etag;
    const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
    return {
        status: answer.status,
        etag: answer.headers.get('ETag'),
        body: await answer.json(),
    };
}

const nickNameIn = ({ body }) => body.user.human.profile.nickName;

// Change it if the user is still the one with ETAG; if not, look again.
async function change(nickName, etag) {
    const answer = await call('PATCH', { human: { profile: { nickName } } }, etag);
    if (answer.status === 412) {
        const now = await call('GET');
        console.log(`conflict: it is ${nickNameIn(now)} now`);
        return change(nickName, now.etag);
    }
    const [at] = (answer.body.details ?? []).flatMap((detail) => detail.fieldViolations ?? []);
    console.log(answer.status === 200 ? `changed to ${nickName}`
        : at ? `refused: ${at.field}: ${at.description}` : `failed: ${answer.body.message}`);
}

const user = await call('GET');
console.log(`read: it is ${nickNameIn(user)}`);
await change('Tall', user.etag);
await change('Small', user.etag); // of before the first change
await change('x'.repeat(201));
