# http_ruby.rb ADDRESS -- Net::HTTP of Ruby sends the requests that it reads on
# standard input.
require 'json'
require 'net/http'

connection = Net::HTTP.start(*ARGV[0].split(':'))

$stdin.each_line do |line|
    request = JSON.parse(line)
    post = Net::HTTP::Post.new(request['path'], request['headers'])
    post.body = JSON.generate(request['body'])
    response = connection.request(post)
    puts JSON.generate(
        id: request['id'],
        status: response.code.to_i,
        headers: response.each_header.to_h,
        body: response.body.to_s.force_encoding('UTF-8'))
    $stdout.flush
end
