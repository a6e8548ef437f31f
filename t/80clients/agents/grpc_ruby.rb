# grpc_ruby.rb TARGET [CERTIFICATE] -- grpc of Ruby makes the calls that it reads
# on standard input.
require 'base64'
require 'grpc'
require 'json'

target, certificate = ARGV
credentials = certificate ?
    GRPC::Core::ChannelCredentials.new(File.read(certificate)) :
    :this_channel_is_insecure
stub = GRPC::ClientStub.new(target, credentials)
bytes = ->(message) { message }
lock = Mutex.new
going = {}

def answer(operation)
    { code: 0, reply: Base64.strict_encode64(operation.execute) }
rescue GRPC::BadStatus => error
    status = error.metadata['grpc-status-details-bin']
    {
        code: error.code,
        message: error.details,
        status: Base64.strict_encode64(status || '')
    }
end

$stdin.each_line do |line|
    request = JSON.parse(line)
    if request['cancel']
        going[request['cancel']].cancel
        next
    end
    id, timeout = request.values_at('id', 'timeout')
    operation = stub.request_response(
        request['path'], Base64.decode64(request['message']), bytes, bytes,
        deadline: timeout && Time.now + timeout / 1000.0,
        metadata: request['metadata'], return_op: true)
    going[id] = operation
    Thread.new do
        said = answer(operation)
        lock.synchronize do
            puts JSON.generate({ id: id, **said })
            $stdout.flush
        end
    end
end
